package cumulo.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Year;
import java.time.ZonedDateTime;
import java.util.Base64;
import java.util.Calendar;
import java.util.Date;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TimeZone;

/** Writes what a function answers as JSON; members that are null are left out, as AWS's runtimes do. */
final class Writer {
    private static final char[] HEX = "0123456789ABCDEF".toCharArray();
    private final StringBuilder out = new StringBuilder(256);
    private int depth;

    private Writer() {
    }

    static String write(Object value) throws Exception {
        Writer writer = new Writer();
        writer.value(value);
        return writer.out.toString();
    }

    private void value(Object given) throws Exception {
        Object value = given instanceof Optional ? ((Optional<?>) given).orElse(null) : given;
        if (value == null) {
            out.append("null");
        } else if (value instanceof CharSequence || value instanceof Character) {
            quoted(value.toString());
        } else if (value instanceof Number) {
            number((Number) value);
        } else if (value instanceof Boolean) {
            out.append(value);
        } else if (value instanceof Enum) {
            quoted(((Enum<?>) value).name());
        } else if (!text(value) && !time(value)) {
            if (++depth > 1000) {
                throw new IllegalArgumentException("Document nesting depth (1001) exceeds the maximum allowed (1000)");
            }
            compound(value);
            depth--;
        }
    }

    private void compound(Object value) throws Exception {
        if (value instanceof Map) {
            object((Map<?, ?>) value);
        } else if (value instanceof Map.Entry) {
            out.append('{');
            member(true, ((Map.Entry<?, ?>) value).getKey(), ((Map.Entry<?, ?>) value).getValue());
            out.append('}');
        } else if (value instanceof Iterable) {
            list(((Iterable<?>) value).iterator());
        } else if (value instanceof Iterator) {
            list((Iterator<?>) value);
        } else if (value.getClass().isArray()) {
            out.append('[');
            for (int i = 0; i < Array.getLength(value); i++) {
                out.append(i == 0 ? "" : ",");
                value(Array.get(value, i));
            }
            out.append(']');
        } else {
            bean(value);
        }
    }

    private void list(Iterator<?> each) throws Exception {
        out.append('[');
        for (boolean first = true; each.hasNext(); first = false) {
            out.append(first ? "" : ",");
            value(each.next());
        }
        out.append(']');
    }

    private void object(Map<?, ?> map) throws Exception {
        out.append('{');
        boolean first = true;
        for (Map.Entry<?, ?> each : map.entrySet()) {
            first &= !member(first, each.getKey(), each.getValue());
        }
        out.append('}');
    }

    private void bean(Object value) throws Exception {
        out.append('{');
        boolean first = true;
        for (Map.Entry<String, Object> each : Beans.of(value.getClass()).readable.entrySet()) {
            Object found;
            try {
                found = each.getValue() instanceof Field
                        ? ((Field) each.getValue()).get(value)
                        : ((Method) each.getValue()).invoke(value);
            } catch (InvocationTargetException error) {
                throw error.getCause() instanceof Exception ? (Exception) error.getCause() : error;
            }
            if (found == value) {
                throw new IllegalArgumentException("Direct self-reference leading to cycle");
            }
            first &= !member(first, each.getKey(), found);
        }
        out.append('}');
    }

    private boolean member(boolean first, Object name, Object value) throws Exception {
        if (value == null) {
            return false;
        }
        if (name == null) {
            throw new IllegalArgumentException("Null key for a Map not allowed in JSON (use a converting NullKeySerializer?)");
        }
        out.append(first ? "" : ",");
        quoted(name instanceof Enum ? ((Enum<?>) name).name() : name.toString());
        out.append(':');
        value(value);
        return true;
    }

    private void number(Number value) {
        double real = value instanceof Double || value instanceof Float ? value.doubleValue() : 0;
        if (Double.isNaN(real) || Double.isInfinite(real)) {
            quoted(value.toString());
        } else {
            out.append(value);
        }
    }

    /** What is written as text though it is no string. */
    private boolean text(Object value) {
        if (value instanceof byte[]) {
            quoted(Base64.getEncoder().encodeToString((byte[]) value));
        } else if (value instanceof ByteBuffer) {
            ByteBuffer buffer = ((ByteBuffer) value).duplicate();
            byte[] bytes = new byte[buffer.remaining()];
            buffer.get(bytes);
            quoted(Base64.getEncoder().encodeToString(bytes));
        } else if (value instanceof char[]) {
            quoted(new String((char[]) value));
        } else if (value instanceof Class) {
            quoted(((Class<?>) value).getName());
        } else if (value instanceof TimeZone) {
            quoted(((TimeZone) value).getID());
        } else if (value instanceof java.util.UUID || value instanceof java.net.URI || value instanceof java.net.URL
                || value instanceof java.io.File || value instanceof Locale || value instanceof Charset
                || value instanceof java.util.Currency || value instanceof java.util.regex.Pattern
                || value instanceof java.nio.file.Path || value instanceof java.net.InetAddress) {
            quoted(value.toString());
        } else {
            return false;
        }
        return true;
    }

    private boolean time(Object value) {
        if (value instanceof Date) {
            out.append(((Date) value).getTime());
        } else if (value instanceof Calendar) {
            out.append(((Calendar) value).getTimeInMillis());
        } else if (value instanceof Instant) {
            seconds(((Instant) value).getEpochSecond(), ((Instant) value).getNano());
        } else if (value instanceof ZonedDateTime) {
            time(((ZonedDateTime) value).toInstant());
        } else if (value instanceof OffsetDateTime) {
            time(((OffsetDateTime) value).toInstant());
        } else if (value instanceof Duration) {
            seconds(((Duration) value).getSeconds(), ((Duration) value).getNano());
        } else if (value instanceof LocalDate) {
            LocalDate date = (LocalDate) value;
            numbers(date.getYear(), date.getMonthValue(), date.getDayOfMonth());
        } else if (value instanceof LocalTime) {
            out.append('[');
            clock((LocalTime) value);
            out.append(']');
        } else if (value instanceof LocalDateTime) {
            LocalDate date = ((LocalDateTime) value).toLocalDate();
            numbers(date.getYear(), date.getMonthValue(), date.getDayOfMonth());
            out.setCharAt(out.length() - 1, ',');
            clock(((LocalDateTime) value).toLocalTime());
            out.append(']');
        } else if (value instanceof Year) {
            out.append(value);
        } else if (value.getClass().getName().startsWith("java.time.")) {
            quoted(value.toString());
        } else if (value.getClass().getName().equals("org.joda.time.DateTime")) {
            quoted(value.toString());
        } else {
            return false;
        }
        return true;
    }

    private void clock(LocalTime time) {
        out.append(time.getHour()).append(',').append(time.getMinute());
        if (time.getSecond() > 0 || time.getNano() > 0) {
            out.append(',').append(time.getSecond());
            if (time.getNano() > 0) {
                out.append(',').append(time.getNano());
            }
        }
    }

    private void numbers(int year, int month, int day) {
        out.append('[').append(year).append(',').append(month).append(',').append(day).append(']');
    }

    private void seconds(long whole, int nanos) {
        out.append(java.math.BigDecimal.valueOf(whole).add(java.math.BigDecimal.valueOf(nanos, 9)).toPlainString());
    }

    private void quoted(String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char each = text.charAt(i);
            if (each >= ' ' && each != '"' && each != '\\') {
                out.append(each);
                continue;
            }
            switch (each) {
                case '"':
                    out.append("\\\"");
                    break;
                case '\\':
                    out.append("\\\\");
                    break;
                case '\n':
                    out.append("\\n");
                    break;
                case '\r':
                    out.append("\\r");
                    break;
                case '\t':
                    out.append("\\t");
                    break;
                case '\b':
                    out.append("\\b");
                    break;
                case '\f':
                    out.append("\\f");
                    break;
                default:
                    out.append("\\u00").append(HEX[each >> 4]).append(HEX[each & 15]);
            }
        }
        out.append('"');
    }
}
