package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Handlers of every kind. */
public class Orders {
    public enum Size { SMALL, LARGE }

    public static class Order {
        private String id;
        private int count;
        private double price;
        private boolean paid;
        private Size size;
        private List<Line> lines;
        private Map<String, Long> stock;
        private String secret = "kept";
        private Date at;
        private byte[] blob;
        private Optional<String> note;
        private BigDecimal exact;
        private String URL;
        public String open;

        public String getId() { return id; }
        public void setId(String id) { this.id = id; }
        public int getCount() { return count; }
        public void setCount(int count) { this.count = count; }
        public double getPrice() { return price; }
        public void setPrice(double price) { this.price = price; }
        public boolean isPaid() { return paid; }
        public void setPaid(boolean paid) { this.paid = paid; }
        public Size getSize() { return size; }
        public void setSize(Size size) { this.size = size; }
        public List<Line> getLines() { return lines; }
        public void setLines(List<Line> lines) { this.lines = lines; }
        public Map<String, Long> getStock() { return stock; }
        public void setStock(Map<String, Long> stock) { this.stock = stock; }
        public Date getAt() { return at; }
        public void setAt(Date at) { this.at = at; }
        public byte[] getBlob() { return blob; }
        public void setBlob(byte[] blob) { this.blob = blob; }
        public Optional<String> getNote() { return note; }
        public void setNote(Optional<String> note) { this.note = note; }
        public BigDecimal getExact() { return exact; }
        public void setExact(BigDecimal exact) { this.exact = exact; }
        public String getURL() { return URL; }
        public void setURL(String URL) { this.URL = URL; }
        public int total() { return lines.size(); }
    }

    public static class Line {
        private String name;

        public String getName() { return name; }
        public void setName(String name) { this.name = name; }
    }

    public static class Page<T> {
        public List<T> items = new ArrayList<>();
    }

    /** Generic types come by way of a superclass. */
    public abstract static class Base<T> implements RequestHandler<Page<T>, List<T>> {
    }

    public static class Pages extends Base<Line> {
        @Override
        public List<Line> handleRequest(Page<Line> page, Context context) {
            for (Line line : page.items) {
                line.setName(line.getName().toUpperCase());
            }
            return page.items;
        }
    }

    public static class Typed implements RequestHandler<Order, Order> {
        @Override
        public Order handleRequest(Order order, Context context) {
            order.setCount(order.getCount() + 1);
            return order;
        }
    }

    public static class Streams implements RequestStreamHandler {
        @Override
        public void handleRequest(InputStream input, OutputStream output, Context context) throws IOException {
            output.write('<');
            for (int each = input.read(); each >= 0; each = input.read()) {
                output.write(each);
            }
            output.write('>');
        }
    }

    public String text(String given) { return given + "!"; }
    public int add(int given) { return given + 1; }
    public List<Integer> reversed(List<Integer> given) {
        java.util.Collections.reverse(given);
        return given;
    }
    public void nothing(Map<String, Object> event) { }
    public static Object anything(Object event) { return event; }
    public String none() { return "no arguments"; }
    public void copy(InputStream input, OutputStream output) throws IOException { new Streams().handleRequest(input, output, null); }
    public String overloaded(String text) { return "without"; }
    public String overloaded(String text, Context context) { return "with " + context.getFunctionName(); }

    public Map<String, Object> context(Map<String, Object> event, Context context) {
        Map<String, Object> found = new LinkedHashMap<>();
        found.put("id", context.getAwsRequestId());
        found.put("name", context.getFunctionName());
        found.put("version", context.getFunctionVersion());
        found.put("arn", context.getInvokedFunctionArn());
        found.put("group", context.getLogGroupName());
        found.put("stream", context.getLogStreamName());
        found.put("memory", context.getMemoryLimitInMB());
        found.put("left", context.getRemainingTimeInMillis() > 1000);
        found.put("identity", context.getIdentity().getIdentityId());
        found.put("title", context.getClientContext().getClient().getAppTitle());
        found.put("custom", context.getClientContext().getCustom());
        found.put("trace", System.getProperty("com.amazonaws.xray.traceHeader"));
        found.put("heap", Runtime.getRuntime().maxMemory() / 1048576);
        found.put("directory", System.getProperty("user.dir"));
        found.put("java", System.getProperty("java.version"));
        return found;
    }
}
