package cumulo.runtime;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as a tree: maps, lists, strings, numbers (Integer, Long, BigInteger or Double), booleans and null.
 *
 * <p>As lenient as AWS's runtimes: names without quotes or in single quotes, control characters in strings, NaN.
 */
final class Json {
    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    /** Reads one value; what follows it is not looked at. Throws IllegalArgumentException. */
    static Object read(String text) {
        Json reader = new Json(text);
        reader.space();
        if (reader.at >= text.length()) {
            throw reader.wrong("No content to map due to end-of-input");
        }
        return reader.value();
    }

    private Object value() {
        char first = peek();
        switch (first) {
            case '{':
                return object();
            case '[':
                return array();
            case '"':
            case '\'':
                at++;
                return string(first);
            default:
                return first == '-' || (first >= '0' && first <= '9') ? number() : word();
        }
    }

    private Map<String, Object> object() {
        deeper();
        at++;
        Map<String, Object> found = new LinkedHashMap<>();
        space();
        if (peek() == '}') {
            at++;
            depth--;
            return found;
        }
        while (true) {
            space();
            String name = name();
            space();
            expect(':');
            space();
            found.put(name, value());
            space();
            if (peek() == ',') {
                at++;
            } else {
                expect('}');
                depth--;
                return found;
            }
        }
    }

    private List<Object> array() {
        deeper();
        at++;
        List<Object> found = new ArrayList<>();
        space();
        if (peek() == ']') {
            at++;
            depth--;
            return found;
        }
        while (true) {
            space();
            found.add(value());
            space();
            if (peek() == ',') {
                at++;
            } else {
                expect(']');
                depth--;
                return found;
            }
        }
    }

    private String name() {
        char first = peek();
        if (first == '"' || first == '\'') {
            at++;
            return string(first);
        }
        int start = at;
        while (at < text.length() && Character.isJavaIdentifierPart(text.charAt(at))) {
            at++;
        }
        if (start == at) {
            throw wrong("Unexpected character ('" + first + "')");
        }
        return text.substring(start, at);
    }

    private String string(char quote) {
        int start = at;
        while (at < text.length() && text.charAt(at) != quote && text.charAt(at) != '\\') {
            at++;
        }
        if (at < text.length() && text.charAt(at) == quote) {
            return text.substring(start, at++);
        }
        StringBuilder found = new StringBuilder(text.substring(start, at));
        while (true) {
            char next = take();
            if (next == quote) {
                return found.toString();
            }
            found.append(next == '\\' ? escaped() : next);
        }
    }

    private char escaped() {
        char kind = take();
        switch (kind) {
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'u':
                if (at + 4 > text.length()) {
                    throw wrong("Unexpected end-of-input in a character escape");
                }
                try {
                    char found = (char) Integer.parseInt(text.substring(at, at + 4), 16);
                    at += 4;
                    return found;
                } catch (NumberFormatException error) {
                    throw wrong("expected a hex-digit for character escape sequence");
                }
            default:
                return kind;
        }
    }

    private Object number() {
        int start = at;
        boolean whole = true;
        at++;
        while (at < text.length()) {
            char next = text.charAt(at);
            if (next == '.' || next == 'e' || next == 'E') {
                whole = false;
            } else if (!(next >= '0' && next <= '9') && next != '+' && next != '-') {
                break;
            }
            at++;
        }
        String digits = text.substring(start, at);
        if (digits.equals("-") && text.startsWith("Infinity", at)) {
            at += 8;
            return Double.NEGATIVE_INFINITY;
        }
        try {
            if (!whole) {
                return new Decimal(digits);
            }
            if (digits.length() < 10) {
                return Integer.valueOf(digits);
            }
            BigInteger exact = new BigInteger(digits);
            if (exact.bitLength() < 32) {
                return exact.intValue();
            }
            return exact.bitLength() < 64 ? (Object) exact.longValue() : exact;
        } catch (NumberFormatException error) {
            throw wrong("Unexpected character in the number " + digits);
        }
    }

    private Object word() {
        int start = at;
        while (at < text.length() && Character.isJavaIdentifierPart(text.charAt(at))) {
            at++;
        }
        String word = text.substring(start, at);
        switch (word) {
            case "true":
                return Boolean.TRUE;
            case "false":
                return Boolean.FALSE;
            case "null":
                return null;
            case "NaN":
                return Double.NaN;
            case "Infinity":
            case "INF":
                return Double.POSITIVE_INFINITY;
            default:
                throw wrong(word.isEmpty()
                        ? "Unexpected character ('" + text.charAt(start) + "')"
                        : "Unrecognized token '" + word + "': was expecting (JSON String, Number, Array, Object or token"
                        + " 'null', 'true' or 'false')");
        }
    }

    private void deeper() {
        if (++depth > 1000) {
            throw wrong("Document nesting depth (1001) exceeds the maximum allowed (1000)");
        }
    }

    private void space() {
        while (at < text.length() && text.charAt(at) <= ' ') {
            at++;
        }
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong("Unexpected end-of-input");
        }
        return text.charAt(at);
    }

    private char take() {
        char found = peek();
        at++;
        return found;
    }

    private void expect(char wanted) {
        if (take() != wanted) {
            at--;
            throw wrong("Unexpected character ('" + text.charAt(at) + "'): was expecting '" + wanted + "'");
        }
    }

    private IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException(what + " at offset " + at);
    }

    /** A number with a fraction or an exponent: exact for a BigDecimal, a Double for everything else. */
    static final class Decimal extends Number {
        private static final long serialVersionUID = 1;
        private final String digits;
        private final double value;

        Decimal(String digits) {
            this.digits = digits;
            this.value = Double.parseDouble(digits);
        }

        BigDecimal exact() {
            return new BigDecimal(digits);
        }

        @Override
        public int intValue() {
            return (int) value;
        }

        @Override
        public long longValue() {
            return (long) value;
        }

        @Override
        public float floatValue() {
            return (float) value;
        }

        @Override
        public double doubleValue() {
            return value;
        }

        @Override
        public String toString() {
            return digits;
        }
    }
}
