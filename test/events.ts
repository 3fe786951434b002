/** Rows of the inputs, told in one line. */
export const click = (customer: number, item: number, time: string) => ({ customer_id: customer, item_id: item, click_time: time });

/** Items with an even number are ordered. */
export const ranking = (dt: string, id: string, customer: number, ...items: number[]) => ({
  dt,
  ranking_id: id,
  customer_id: customer,
  impressions: items.map((item_id) => ({ item_id, is_order: item_id % 2 === 0 })),
});
