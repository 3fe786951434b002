import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.FileOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.parquet.HadoopReadOptions;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.filter2.compat.FilterCompat;
import org.apache.parquet.filter2.predicate.FilterApi;
import org.apache.parquet.filter2.predicate.FilterPredicate;
import org.apache.parquet.filter2.predicate.Operators;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.ParquetReader;
import org.apache.parquet.hadoop.example.GroupReadSupport;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.hadoop.util.HadoopInputFile;
import org.apache.parquet.internal.column.columnindex.ColumnIndex;
import org.apache.parquet.internal.column.columnindex.OffsetIndex;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;

/**
 * What parquet-mr's own reader makes of a file, in a form that another program can compare. Page checksums are verified.
 * In the Java that Janino compiles (it is among PySpark's jars): no lambdas, no inferred generics.
 */
public class ParquetMr {
    private final Configuration conf = new Configuration();

    public ParquetMr() {
        conf.setBoolean("parquet.page.verify-checksum.enabled", true);
    }

    public String schema(String path) throws Exception {
        ParquetFileReader reader = open(path, FilterCompat.NOOP);
        try {
            return reader.getFooter().getFileMetaData().getSchema().toString();
        } finally {
            reader.close();
        }
    }

    /**
     * Reads all rows, or those where `column` `op` `value` if column is given, and writes them column by column: integers and
     * booleans as 8 bytes, little-endian; strings as their length and their bytes; lists as their length and their elements.
     * Returns the rows that the row groups' statistics and the column indexes left to be looked at.
     */
    public long read(String path, String out, String column, String op, String value) throws Exception {
        FilterCompat.Filter filter = FilterCompat.NOOP;
        if (column != null) filter = FilterCompat.get(predicate(path, column, op, value));
        ParquetReader.Builder builder = ParquetReader.builder(new GroupReadSupport(), new Path(path));
        ParquetReader reader = builder.withConf(conf).withFilter(filter).build();
        ByteArrayOutputStream[] bytes = null;
        DataOutputStream[] columns = null;
        try {
            for (Group row = (Group) reader.read(); row != null; row = (Group) reader.read()) {
                int count = row.getType().getFieldCount();
                if (columns == null) {
                    bytes = new ByteArrayOutputStream[count];
                    columns = new DataOutputStream[count];
                    for (int i = 0; i < count; i++) columns[i] = new DataOutputStream(bytes[i] = new ByteArrayOutputStream());
                }
                for (int i = 0; i < count; i++) put(row, i, columns[i]);
            }
        } finally {
            reader.close();
        }
        BufferedOutputStream file = new BufferedOutputStream(new FileOutputStream(out));
        if (bytes != null) for (int i = 0; i < bytes.length; i++) bytes[i].writeTo(file);
        file.close();
        return looked(path, filter);
    }

    private void put(Group row, int field, DataOutputStream out) throws Exception {
        Type type = row.getType().getType(field);
        if (row.getFieldRepetitionCount(field) != 1) throw new Exception("required, but not there: " + type.getName());
        if (type.isPrimitive()) {
            putValue(row, field, type.asPrimitiveType().getPrimitiveTypeName(), out);
            return;
        }
        Group list = (Group) row.getGroup(field, 0);
        int length = list.getFieldRepetitionCount(0);
        PrimitiveTypeName element = type.asGroupType().getType(0).asGroupType().getType(0).asPrimitiveType().getPrimitiveTypeName();
        out.writeLong(Long.reverseBytes(length));
        for (int i = 0; i < length; i++) putValue((Group) list.getGroup(0, i), 0, element, out);
    }

    private void putValue(Group group, int field, PrimitiveTypeName type, DataOutputStream out) throws Exception {
        if (type == PrimitiveTypeName.BINARY) {
            byte[] bytes = group.getBinary(field, 0).getBytes();
            out.writeLong(Long.reverseBytes(bytes.length));
            out.write(bytes);
        } else if (type == PrimitiveTypeName.INT64) {
            out.writeLong(Long.reverseBytes(group.getLong(field, 0)));
        } else if (type == PrimitiveTypeName.INT32) {
            out.writeLong(Long.reverseBytes((long) group.getInteger(field, 0)));
        } else {
            out.writeLong(Long.reverseBytes(group.getBoolean(field, 0) ? 1L : 0L));
        }
    }

    private FilterPredicate predicate(String path, String column, String op, String value) throws Exception {
        ParquetFileReader reader = open(path, FilterCompat.NOOP);
        MessageType schema = reader.getFooter().getFileMetaData().getSchema();
        reader.close();
        PrimitiveTypeName type = schema.getType(column).asPrimitiveType().getPrimitiveTypeName();
        if (type == PrimitiveTypeName.BOOLEAN) return FilterApi.eq(FilterApi.booleanColumn(column), Boolean.valueOf(value));
        if (type == PrimitiveTypeName.INT64) {
            Operators.LongColumn longs = FilterApi.longColumn(column);
            Long number = Long.valueOf(value);
            if (op.equals("=")) return FilterApi.eq(longs, number);
            return op.equals(">") ? (FilterPredicate) FilterApi.gt(longs, number) : (FilterPredicate) FilterApi.ltEq(longs, number);
        }
        if (type == PrimitiveTypeName.INT32) {
            Operators.IntColumn ints = FilterApi.intColumn(column);
            Integer number = Integer.valueOf(value);
            if (op.equals("=")) return FilterApi.eq(ints, number);
            return op.equals(">") ? (FilterPredicate) FilterApi.gt(ints, number) : (FilterPredicate) FilterApi.ltEq(ints, number);
        }
        Operators.BinaryColumn strings = FilterApi.binaryColumn(column);
        Binary text = Binary.fromString(value);
        if (op.equals("=")) return FilterApi.eq(strings, text);
        return op.equals(">") ? (FilterPredicate) FilterApi.gt(strings, text) : (FilterPredicate) FilterApi.ltEq(strings, text);
    }

    private ParquetFileReader open(String path, FilterCompat.Filter filter) throws Exception {
        HadoopReadOptions.Builder builder = HadoopReadOptions.builder(conf);
        builder.withRecordFilter(filter);
        return ParquetFileReader.open(HadoopInputFile.fromPath(new Path(path), conf), builder.build());
    }

    private long looked(String path, FilterCompat.Filter filter) throws Exception {
        ParquetFileReader reader = open(path, filter);
        try {
            return reader.getFilteredRecordCount();
        } finally {
            reader.close();
        }
    }

    /**
     * Footer and page index. A line for each chunk: "chunk", row group, path, rows, values, nulls, least, greatest; followed
     * by a line for each of its pages: "page", first row, nulls, least, greatest. Bounds in hexadecimal, "-" where none is.
     */
    public String books(String path) throws Exception {
        StringBuilder out = new StringBuilder();
        ParquetFileReader reader = open(path, FilterCompat.NOOP);
        try {
            List blocks = reader.getFooter().getBlocks();
            for (int b = 0; b < blocks.size(); b++) {
                BlockMetaData block = (BlockMetaData) blocks.get(b);
                List columns = block.getColumns();
                for (int c = 0; c < columns.size(); c++) chunk(reader, b, block.getRowCount(), (ColumnChunkMetaData) columns.get(c), out);
            }
        } finally {
            reader.close();
        }
        return out.toString();
    }

    private void chunk(ParquetFileReader reader, int group, long rows, ColumnChunkMetaData chunk, StringBuilder out) throws Exception {
        Statistics stats = chunk.getStatistics();
        boolean has = stats != null && stats.hasNonNullValue();
        line(out, "chunk\t" + group + "\t" + chunk.getPath().toDotString() + "\t" + rows + "\t" + chunk.getValueCount()
            + "\t" + (has ? stats.getNumNulls() : -1L)
            + "\t" + (has ? hex(ByteBuffer.wrap(stats.getMinBytes())) : "-") + "\t" + (has ? hex(ByteBuffer.wrap(stats.getMaxBytes())) : "-"));
        ColumnIndex bounds = reader.readColumnIndex(chunk);
        OffsetIndex pages = reader.readOffsetIndex(chunk);
        for (int p = 0; p < pages.getPageCount(); p++) {
            String nulls = bounds == null ? "-1" : bounds.getNullCounts().get(p).toString();
            String least = bounds == null ? "-" : hex((ByteBuffer) bounds.getMinValues().get(p));
            String greatest = bounds == null ? "-" : hex((ByteBuffer) bounds.getMaxValues().get(p));
            line(out, "page\t" + pages.getFirstRowIndex(p) + "\t" + nulls + "\t" + least + "\t" + greatest);
        }
    }

    private static void line(StringBuilder out, String text) {
        out.append(text).append('\n');
    }

    private static String hex(ByteBuffer bytes) {
        StringBuilder out = new StringBuilder();
        for (int i = bytes.position(); i < bytes.limit(); i++) out.append(String.format("%02x", new Object[] {Byte.valueOf(bytes.get(i))}));
        return out.toString();
    }
}
