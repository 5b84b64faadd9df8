package cumulo.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/** Makes objects of the type that a function takes from a tree of JSON. */
final class Binder {
    private Binder() {
    }

    /** Throws IllegalArgumentException for what does not fit. */
    static Object bind(Object tree, Type type) throws Exception {
        return bind(tree, type, false);
    }

    private static Object bind(Object tree, Type type, boolean event) throws Exception {
        Class<?> kind = Types.raw(type);
        if (kind == Optional.class) {
            return Optional.ofNullable(bind(tree, Types.argument(type, Optional.class, 0), event));
        }
        if (tree == null) {
            return kind.isPrimitive() ? Array.get(Array.newInstance(kind, 1), 0) : null;
        }
        if (kind == Object.class || kind == java.io.Serializable.class) {
            return plain(tree);
        }
        if (Map.class.isAssignableFrom(kind)) {
            return map(tree, type, kind, event);
        }
        if (Collection.class.isAssignableFrom(kind) || kind == Iterable.class) {
            return collection(tree, type, kind, event);
        }
        if (kind == byte[].class && tree instanceof String) {
            return base64((String) tree);
        }
        if (kind.isArray()) {
            return array(tree, type, kind, event);
        }
        if (tree instanceof List) {  // one value in brackets is that value, none is null
            List<?> list = (List<?>) tree;
            if (list.size() == 1 && !Scalars.takesLists(kind)) {
                return bind(list.get(0), type, event);
            }
            if (list.isEmpty() && !Scalars.knows(kind)) {
                return null;
            }
        }
        if (kind == ByteBuffer.class) {
            return ByteBuffer.wrap(base64((String) fitting(tree, String.class, kind)));
        }
        if (Scalars.knows(kind)) {
            return Scalars.read(tree, kind, event);
        }
        if ("".equals(tree)) {
            return null;
        }
        if (!(tree instanceof Map)) {
            throw mismatch(tree, kind);
        }
        return bean((Map<?, ?>) tree, type, kind);
    }

    /** What a function gets that takes any Object. */
    static Object plain(Object tree) {
        if (tree instanceof Json.Decimal) {
            return ((Json.Decimal) tree).doubleValue();
        }
        if (tree instanceof Map) {
            Map<String, Object> found = new LinkedHashMap<>();
            for (Map.Entry<?, ?> each : ((Map<?, ?>) tree).entrySet()) {
                found.put((String) each.getKey(), plain(each.getValue()));
            }
            return found;
        }
        if (tree instanceof List) {
            List<Object> found = new ArrayList<>();
            for (Object each : (List<?>) tree) {
                found.add(plain(each));
            }
            return found;
        }
        return tree;
    }

    private static Object bean(Map<?, ?> tree, Type type, Class<?> kind) throws Exception {
        Beans beans = Beans.of(kind);
        Map<TypeVariable<?>, Type> known = Types.variables(type);
        if (beans.components != null) {
            return record(tree, beans, known);
        }
        Object made = beans.create();
        for (Map.Entry<?, ?> each : tree.entrySet()) {
            Object target = beans.target((String) each.getKey());
            if (target == null) {
                continue;
            }
            if (target instanceof Field) {
                Field field = (Field) target;
                field.set(made, bind(each.getValue(), Types.resolved(field.getGenericType(), known), beans.event));
                continue;
            }
            Method setter = (Method) target;
            Type wanted = Types.resolved(setter.getGenericParameterTypes()[0], known);
            Object value = bind(each.getValue(), wanted, beans.event);
            try {
                setter.invoke(made, value);
            } catch (InvocationTargetException error) {
                throw unwrapped(error);
            }
        }
        return made;
    }

    private static Object record(Map<?, ?> tree, Beans beans, Map<TypeVariable<?>, Type> known) throws Exception {
        Object[] values = new Object[beans.components.size()];
        for (int i = 0; i < values.length; i++) {
            Method component = beans.components.get(i);
            values[i] = bind(tree.get(component.getName()), Types.resolved(component.getGenericReturnType(), known));
        }
        try {
            return beans.canonical().newInstance(values);
        } catch (InvocationTargetException error) {
            throw unwrapped(error);
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object map(Object tree, Type type, Class<?> kind, boolean event) throws Exception {
        if ("".equals(tree)) {
            return null;
        }
        if (tree instanceof List && ((List<?>) tree).size() < 2) {
            return ((List<?>) tree).isEmpty() ? null : map(((List<?>) tree).get(0), type, kind, event);
        }
        Map<?, ?> given = (Map<?, ?>) fitting(tree, Map.class, kind);
        Type keys = Types.argument(type, Map.class, 0);
        Type values = Types.argument(type, Map.class, 1);
        Map made;
        if (kind == EnumMap.class) {
            made = new EnumMap(Types.raw(keys));
        } else if (kind == Map.class || kind == LinkedHashMap.class) {
            made = new LinkedHashMap<>();
        } else if (kind.isInterface()) {
            made = SortedMap.class.isAssignableFrom(kind) ? new TreeMap<>()
                    : kind == ConcurrentMap.class ? new ConcurrentHashMap<>() : null;
        } else {
            made = (Map) Beans.of(kind).create();
        }
        if (made == null || !kind.isInstance(made)) {
            throw mismatch(tree, kind);
        }
        for (Map.Entry<?, ?> each : given.entrySet()) {
            Object key = keys == Object.class ? each.getKey() : bind(each.getKey(), keys, event);
            made.put(key, bind(each.getValue(), values, event));
        }
        return made;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object collection(Object tree, Type type, Class<?> kind, boolean event) throws Exception {
        if ("".equals(tree)) {
            return null;
        }
        List<?> given = tree instanceof List ? (List<?>) tree : Collections.singletonList(tree);
        Type elements = kind == Iterable.class
                ? Types.argument(type, Iterable.class, 0)
                : Types.argument(type, Collection.class, 0);
        Collection made;
        if (kind.isAssignableFrom(ArrayList.class)) {
            made = new ArrayList<>(given.size());
        } else if (kind.isAssignableFrom(HashSet.class)) {
            made = new HashSet<>();
        } else if (kind.isAssignableFrom(TreeSet.class)) {
            made = new TreeSet<>();
        } else if (kind.isAssignableFrom(LinkedList.class)) {
            made = new LinkedList<>();
        } else {
            made = (Collection) Beans.of(kind).create();
        }
        for (Object each : given) {
            made.add(bind(each, elements, event));
        }
        return made;
    }

    private static Object array(Object tree, Type type, Class<?> kind, boolean event) throws Exception {
        if ("".equals(tree)) {
            return null;
        }
        if (kind == char[].class && tree instanceof String) {
            return ((String) tree).toCharArray();
        }
        List<?> given = tree instanceof List ? (List<?>) tree : Collections.singletonList(tree);
        Type elements = type instanceof java.lang.reflect.GenericArrayType
                ? ((java.lang.reflect.GenericArrayType) type).getGenericComponentType()
                : kind.getComponentType();
        Object made = Array.newInstance(kind.getComponentType(), given.size());
        for (int i = 0; i < given.size(); i++) {
            Array.set(made, i, bind(given.get(i), elements, event));
        }
        return made;
    }

    static Object fitting(Object tree, Class<?> wanted, Class<?> kind) {
        if (!wanted.isInstance(tree)) {
            throw mismatch(tree, kind);
        }
        return tree;
    }

    static IllegalArgumentException mismatch(Object tree, Class<?> kind) {
        String what = tree instanceof Map ? "Object value" : tree instanceof List ? "Array value"
                : tree instanceof String ? "String value ('" + tree + "')"
                : tree instanceof Number ? "Number value (" + tree + ")" : "Boolean value (" + tree + ")";
        return new IllegalArgumentException(
                "Cannot deserialize value of type `" + kind.getTypeName() + "` from " + what);
    }

    private static byte[] base64(String text) {
        return Base64.getMimeDecoder().decode(text);
    }

    private static Exception unwrapped(InvocationTargetException error) {
        return error.getCause() instanceof Exception ? (Exception) error.getCause() : error;
    }

    /** The constructor that takes one String, if there is one. */
    static Constructor<?> ofString(Class<?> kind) {
        try {
            return kind.getConstructor(String.class);
        } catch (NoSuchMethodException none) {
            return null;
        }
    }
}
