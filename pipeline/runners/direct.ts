import { directRunner, type Root } from "../../beam/sdk";
import { backstory, type Plan } from "../backstory";

/** Runs the graph on Beam's direct runner, in this process. */
export async function runDirect(plan: Plan): Promise<void> {
  await directRunner().run((root: Root) => void root.apply(backstory(plan)));
}
