package cumulo.runtime;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The properties of a class, by the rules of Java beans as AWS's runtimes apply them: public getters and fields are
 * written; setters and public fields are read; records by their components.
 */
final class Beans {
    private static final Map<Class<?>, Beans> KNOWN = new ConcurrentHashMap<>();
    private static final String[] EVENTS = {
        "com.amazonaws.services.lambda.runtime.events.",
        "com.amazonaws.services.dynamodbv2.model.",
        "com.amazonaws.services.s3.event.",
    };

    /** Of a setter its method, of a field that field. */
    final Map<String, Object> writable = new LinkedHashMap<>();
    /** Of a getter its method, of a field that field. */
    final Map<String, Object> readable = new LinkedHashMap<>();
    /** Of the records' components, in order; null for other classes. */
    final List<Method> components;
    /** One of AWS's own event classes: names in events differ from theirs, and some can only be filled by their fields. */
    final boolean event;
    private final Class<?> kind;
    private Map<String, Object> loosely;

    private Beans(Class<?> kind) {
        this.kind = kind;
        this.event = isEvent(kind.getName());
        this.components = componentsOf(kind);
        Map<String, Object> getters = new LinkedHashMap<>();
        List<Class<?>> line = new ArrayList<>();
        for (Class<?> each = kind; each != null && each != Object.class; each = each.getSuperclass()) {
            line.add(each);
        }
        Collections.reverse(line);
        List<String> order = new ArrayList<>();
        for (Class<?> each : line) {
            for (Field field : each.getDeclaredFields()) {
                int bits = field.getModifiers();
                if (Modifier.isStatic(bits) || field.isSynthetic()) {
                    continue;
                }
                order.add(field.getName());
                if (Modifier.isPublic(bits) && !Modifier.isTransient(bits)) {
                    field.setAccessible(true);
                    writable.put(field.getName(), field);
                    getters.put(field.getName(), field);
                } else if (event) {
                    field.setAccessible(true);
                    writable.put(field.getName(), field);
                }
            }
            for (Method method : each.getDeclaredMethods()) {
                addMethod(method, getters);
            }
        }
        for (Class<?> each = kind; each != null; each = each.getSuperclass()) {
            for (Class<?> face : each.getInterfaces()) {
                for (Method method : face.getMethods()) {
                    if (method.isDefault()) {
                        addGetter(method, getters);
                    }
                }
            }
        }
        if (components != null) {
            for (Method method : components) {
                getters.put(method.getName(), method);
            }
        }
        for (String name : order) {
            if (getters.containsKey(name)) {
                readable.put(name, getters.remove(name));
            }
        }
        readable.putAll(getters);
    }

    static Beans of(Class<?> kind) {
        Beans found = KNOWN.get(kind);
        if (found == null) {
            found = new Beans(kind);
            KNOWN.put(kind, found);
        }
        return found;
    }

    /** The setter or field for a name in JSON, or null. */
    Object target(String name) {
        Object found = writable.get(name);
        if (found != null && !(event && found instanceof Field) || !event) {
            return found;
        }
        if (loosely == null) {
            loosely = new LinkedHashMap<>();
            for (Map.Entry<String, Object> each : writable.entrySet()) {
                if (each.getValue() instanceof Method) {
                    loosely.put(loose(each.getKey()), each.getValue());
                } else {
                    loosely.putIfAbsent(loose(each.getKey()), each.getValue());
                }
            }
        }
        return loosely.get(loose(name));
    }

    /** A new object with nothing in it. */
    Object create() throws Exception {
        if (kind.isInterface() || Modifier.isAbstract(kind.getModifiers())) {
            throw new IllegalArgumentException("Cannot construct instance of `" + kind.getName()
                    + "` (no Creators, like default constructor, exist): abstract types either need to be mapped to"
                    + " concrete types, have custom deserializer, or contain additional type information");
        }
        try {
            Constructor<?> constructor = kind.getDeclaredConstructor();
            constructor.setAccessible(true);
            return constructor.newInstance();
        } catch (NoSuchMethodException none) {
            if (event) {
                return blank();
            }
            throw new IllegalArgumentException("Cannot construct instance of `" + kind.getName()
                    + "` (no Creators, like default constructor, exist): cannot deserialize from Object value (no"
                    + " delegate- or property-based Creator)");
        }
    }

    /** Without a constructor, for AWS's immutable events. */
    private Object blank() throws Exception {
        Class<?> unsafe = Class.forName("sun.misc.Unsafe");
        Field field = unsafe.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        return unsafe.getMethod("allocateInstance", Class.class).invoke(field.get(null), kind);
    }

    private void addMethod(Method method, Map<String, Object> getters) {
        if (Modifier.isStatic(method.getModifiers()) || method.isBridge() || method.isSynthetic()) {
            return;
        }
        String name = method.getName();
        if (method.getParameterCount() == 1 && name.length() > 3 && name.startsWith("set")) {
            method.setAccessible(true);
            Object known = writable.get(decapitalized(name.substring(3)));
            if (!(known instanceof Method) || suits(method, (Method) known)) {
                writable.put(decapitalized(name.substring(3)), method);
            }
            return;
        }
        addGetter(method, getters);
    }

    /** Of overloaded setters the one whose type the getter has, or else the later one. */
    private static boolean suits(Method method, Method known) {
        if (known.getDeclaringClass() != method.getDeclaringClass()) {
            return true;
        }
        String name = method.getName().substring(3);
        for (String prefix : new String[] {"get", "is"}) {
            try {
                return method.getDeclaringClass().getMethod(prefix + name).getReturnType()
                        == method.getParameterTypes()[0];
            } catch (NoSuchMethodException none) {
                continue;
            }
        }
        return method.getParameterTypes()[0] == String.class;
    }

    private static void addGetter(Method method, Map<String, Object> getters) {
        String name = method.getName();
        Class<?> type = method.getReturnType();
        boolean wanted = Modifier.isPublic(method.getModifiers()) && method.getParameterCount() == 0
                && type != void.class && !method.isBridge();
        if (!wanted || name.equals("getClass") || name.equals("getMetaClass")) {
            return;
        }
        String property = null;
        if (name.length() > 3 && name.startsWith("get")) {
            property = decapitalized(name.substring(3));
        } else if (name.length() > 2 && name.startsWith("is") && (type == boolean.class || type == Boolean.class)) {
            property = decapitalized(name.substring(2));
            if (getters.get(property) instanceof Method) {
                return;
            }
        }
        if (property != null) {
            method.setAccessible(true);
            getters.put(property, method);
        }
    }

    private static List<Method> componentsOf(Class<?> kind) {
        if (kind.getSuperclass() == null || !kind.getSuperclass().getName().equals("java.lang.Record")) {
            return null;
        }
        try {
            Object[] parts = (Object[]) Class.class.getMethod("getRecordComponents").invoke(kind);
            List<Method> found = new ArrayList<>();
            for (Object part : parts) {
                Method accessor = (Method) part.getClass().getMethod("getAccessor").invoke(part);
                accessor.setAccessible(true);
                found.add(accessor);
            }
            return found;
        } catch (ReflectiveOperationException error) {
            throw new IllegalStateException(error);
        }
    }

    /** The constructor of a record that takes all of its components. */
    Constructor<?> canonical() throws NoSuchMethodException {
        Class<?>[] types = new Class<?>[components.size()];
        for (int i = 0; i < types.length; i++) {
            types[i] = components.get(i).getReturnType();
        }
        Constructor<?> found = kind.getDeclaredConstructor(types);
        found.setAccessible(true);
        return found;
    }

    static boolean isEvent(String name) {
        for (String prefix : EVENTS) {
            if (name.startsWith(prefix)) {
                return true;
            }
        }
        return false;
    }

    private static String loose(String name) {
        StringBuilder found = new StringBuilder(name.length());
        for (int i = 0; i < name.length(); i++) {
            char each = name.charAt(i);
            if (each != '-' && each != '_') {
                found.append(Character.toLowerCase(each));
            }
        }
        return found.toString();
    }

    /** As java.beans.Introspector, which may be missing: it is in java.desktop. */
    static String decapitalized(String name) {
        boolean kept = name.length() > 1 && Character.isUpperCase(name.charAt(0)) && Character.isUpperCase(name.charAt(1));
        return kept ? name : Character.toLowerCase(name.charAt(0)) + name.substring(1);
    }
}
