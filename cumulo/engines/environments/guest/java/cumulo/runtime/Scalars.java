package cumulo.runtime;

import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URL;
import java.nio.charset.Charset;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.TemporalAccessor;
import java.time.temporal.TemporalAmount;
import java.util.Arrays;
import java.util.Currency;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TimeZone;
import java.util.UUID;

/** Single values: numbers, text, dates and what is written as text. */
final class Scalars {
    private static final String JODA = "org.joda.time.DateTime";
    private static final Set<Class<?>> NUMBERS = new HashSet<>(Arrays.<Class<?>>asList(
            int.class, Integer.class, long.class, Long.class, double.class, Double.class, float.class, Float.class,
            short.class, Short.class, byte.class, Byte.class, BigInteger.class, BigDecimal.class, Number.class));
    private static final Set<Class<?>> WORDS = new HashSet<>(Arrays.<Class<?>>asList(
            String.class, CharSequence.class, StringBuilder.class, char.class, Character.class, boolean.class,
            Boolean.class, UUID.class, URI.class, URL.class, File.class, Locale.class, Currency.class, Charset.class,
            TimeZone.class, Date.class));

    private Scalars() {
    }

    static boolean knows(Class<?> kind) {
        return NUMBERS.contains(kind) || WORDS.contains(kind) || kind.isEnum() || isTime(kind)
                || kind.getName().equals(JODA);
    }

    /** Dates are written as lists of numbers too. */
    static boolean takesLists(Class<?> kind) {
        return kind == LocalDate.class || kind == LocalTime.class || kind == LocalDateTime.class;
    }

    private static boolean isTime(Class<?> kind) {
        return kind.getName().startsWith("java.time.")
                && (TemporalAccessor.class.isAssignableFrom(kind) || TemporalAmount.class.isAssignableFrom(kind)
                        || kind.getSimpleName().startsWith("Zone"));
    }

    /** `event`: a member of one of AWS's event classes, whose dates are seconds. */
    static Object read(Object tree, Class<?> kind, boolean event) throws Exception {
        if (NUMBERS.contains(kind)) {
            return number(tree, kind);
        }
        if (kind.isEnum()) {
            return constant(tree, kind);
        }
        if (kind == boolean.class || kind == Boolean.class) {
            return truth(tree, kind);
        }
        if (kind == Date.class && tree instanceof Number) {
            Number number = (Number) tree;
            return new Date(event ? Math.round(number.doubleValue() * 1000) : number.longValue());
        }
        if (isTime(kind) && !(tree instanceof String)) {
            return moment(tree, kind);
        }
        if (tree instanceof java.util.Map || tree instanceof List) {
            throw Binder.mismatch(tree, kind);
        }
        String text = String.valueOf(tree);
        if (kind == String.class || kind == CharSequence.class) {
            return text;
        }
        if (kind == char.class || kind == Character.class) {
            if (text.length() != 1) {
                if (text.isEmpty()) {
                    return kind == char.class ? (Object) '\0' : null;
                }
                throw Binder.mismatch(tree, kind);
            }
            return text.charAt(0);
        }
        return text.isEmpty() && kind != StringBuilder.class ? null : parsed(text, kind);
    }

    private static Object parsed(String text, Class<?> kind) throws Exception {
        try {
            if (kind == StringBuilder.class) {
                return new StringBuilder(text);
            } else if (kind == UUID.class) {
                return UUID.fromString(text);
            } else if (kind == URI.class) {
                return URI.create(text);
            } else if (kind == URL.class) {
                return new URL(text);
            } else if (kind == File.class) {
                return new File(text);
            } else if (kind == Locale.class) {
                return Locale.forLanguageTag(text.replace('_', '-'));
            } else if (kind == Currency.class) {
                return Currency.getInstance(text);
            } else if (kind == Charset.class) {
                return Charset.forName(text);
            } else if (kind == TimeZone.class) {
                return TimeZone.getTimeZone(text);
            } else if (kind == Date.class) {
                return date(text);
            }
            String name = kind.getSimpleName();
            boolean of = name.equals("ZoneId") || name.equals("ZoneOffset");
            boolean offset = kind == Instant.class && !text.endsWith("Z");
            if (offset) {
                return OffsetDateTime.parse(text).toInstant();
            }
            Method parse = of ? kind.getMethod("of", String.class) : parser(kind);
            return parse.invoke(null, parse.getParameterTypes()[0] == String.class ? text : (CharSequence) text);
        } catch (InvocationTargetException error) {
            throw new IllegalArgumentException(error.getCause());
        }
    }

    private static Method parser(Class<?> kind) throws NoSuchMethodException {
        try {
            return kind.getMethod("parse", CharSequence.class);
        } catch (NoSuchMethodException none) {
            return kind.getMethod("parse", String.class);
        }
    }

    private static Date date(String text) {
        if (text.length() == 10) {
            return Date.from(LocalDate.parse(text).atStartOfDay().toInstant(ZoneOffset.UTC));
        }
        String whole = text.matches(".*(Z|[+-]\\d\\d:?\\d\\d)") ? text : text + "Z";
        return Date.from(OffsetDateTime.parse(whole.replaceFirst("([+-]\\d\\d)(\\d\\d)$", "$1:$2")).toInstant());
    }

    private static Object moment(Object tree, Class<?> kind) {
        if (tree instanceof Number) {
            BigDecimal seconds = tree instanceof Json.Decimal
                    ? ((Json.Decimal) tree).exact()
                    : new BigDecimal(tree.toString());
            long whole = seconds.longValue();
            long nanos = seconds.subtract(BigDecimal.valueOf(whole)).movePointRight(9).longValue();
            Instant instant = Instant.ofEpochSecond(whole, nanos);
            if (kind == Instant.class) {
                return instant;
            } else if (kind == ZonedDateTime.class) {
                return instant.atZone(java.time.ZoneId.of("UTC"));
            } else if (kind == OffsetDateTime.class) {
                return instant.atOffset(ZoneOffset.UTC);
            } else if (kind == Duration.class) {
                return Duration.ofSeconds(whole, nanos);
            } else if (kind == java.time.Year.class) {
                return java.time.Year.of((int) whole);
            }
        }
        if (tree instanceof List) {
            int[] parts = new int[7];
            int count = 0;
            for (Object each : (List<?>) tree) {
                if (!(each instanceof Number) || count == 7) {
                    throw Binder.mismatch(tree, kind);
                }
                parts[count++] = ((Number) each).intValue();
            }
            if (kind == LocalDate.class && count == 3) {
                return LocalDate.of(parts[0], parts[1], parts[2]);
            } else if (kind == LocalTime.class && count >= 2) {
                return LocalTime.of(parts[0], parts[1], parts[2], parts[3]);
            } else if (kind == LocalDateTime.class && count >= 5) {
                return LocalDateTime.of(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6]);
            }
        }
        throw Binder.mismatch(tree, kind);
    }

    private static Object truth(Object tree, Class<?> kind) {
        if (tree instanceof Boolean) {
            return tree;
        }
        if (tree instanceof Integer || tree instanceof Long) {
            return ((Number) tree).longValue() != 0;
        }
        String text = String.valueOf(tree).trim();
        if (tree instanceof String) {
            if (text.equals("true") || text.equals("True") || text.equals("TRUE")) {
                return true;
            } else if (text.equals("false") || text.equals("False") || text.equals("FALSE")) {
                return false;
            } else if (text.isEmpty()) {
                return kind == boolean.class ? Boolean.FALSE : null;
            }
        }
        throw Binder.mismatch(tree, kind);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object constant(Object tree, Class<?> kind) {
        Object[] all = kind.getEnumConstants();
        if (tree instanceof Integer) {
            int number = (Integer) tree;
            return number >= 0 && number < all.length ? all[number] : null;
        }
        for (Object each : all) {
            if (((Enum) each).name().equals(tree)) {
                return each;
            }
        }
        if (tree instanceof String) {
            return null;
        }
        throw Binder.mismatch(tree, kind);
    }

    private static Object number(Object tree, Class<?> kind) {
        Object given = tree;
        if (tree instanceof String) {
            String text = ((String) tree).trim();
            if (text.isEmpty()) {
                return kind.isPrimitive() ? number(0, kind) : null;
            }
            try {
                given = text.matches("-?\\d+") ? (Object) new BigInteger(text) : new Json.Decimal(text);
            } catch (NumberFormatException error) {
                throw Binder.mismatch(tree, kind);
            }
        }
        if (!(given instanceof Number)) {
            throw Binder.mismatch(tree, kind);
        }
        Number number = (Number) given;
        if (kind == double.class || kind == Double.class) {
            return number.doubleValue();
        } else if (kind == float.class || kind == Float.class) {
            return number.floatValue();
        } else if (kind == Number.class) {
            return number instanceof Json.Decimal ? (Number) number.doubleValue() : number;
        }
        BigDecimal exact = number instanceof Json.Decimal
                ? ((Json.Decimal) number).exact()
                : new BigDecimal(number.toString());
        if (kind == BigDecimal.class) {
            return exact;
        }
        BigInteger whole = exact.toBigInteger();
        if (kind == BigInteger.class) {
            return whole;
        }
        int bits = kind == long.class || kind == Long.class ? 64
                : kind == int.class || kind == Integer.class ? 32
                : kind == short.class || kind == Short.class ? 16 : 8;
        if (whole.bitLength() >= bits) {
            throw new IllegalArgumentException("Numeric value (" + tree + ") out of range of " + kind.getSimpleName());
        }
        return bits == 64 ? (Object) whole.longValue()
                : bits == 32 ? (Object) whole.intValue()
                : bits == 16 ? (Object) whole.shortValue() : (Object) whole.byteValue();
    }
}
