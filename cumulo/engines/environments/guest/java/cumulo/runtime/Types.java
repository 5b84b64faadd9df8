package cumulo.runtime;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.lang.reflect.WildcardType;
import java.util.HashMap;
import java.util.Map;

/** Java's types, with what is known of their variables. */
final class Types {
    private Types() {
    }

    /** The class that objects of a type are of. */
    static Class<?> raw(Type type) {
        if (type instanceof Class) {
            return (Class<?>) type;
        }
        if (type instanceof ParameterizedType) {
            return raw(((ParameterizedType) type).getRawType());
        }
        if (type instanceof GenericArrayType) {
            return Array.newInstance(raw(((GenericArrayType) type).getGenericComponentType()), 0).getClass();
        }
        if (type instanceof WildcardType) {
            return raw(((WildcardType) type).getUpperBounds()[0]);
        }
        return raw(((TypeVariable<?>) type).getBounds()[0]);
    }

    /** A type in which variables are replaced as far as they are known. */
    static Type resolved(Type type, Map<TypeVariable<?>, Type> known) {
        if (type instanceof TypeVariable) {
            Type found = known.get(type);
            return found == null ? type : found;
        }
        if (type instanceof ParameterizedType) {
            Type[] given = ((ParameterizedType) type).getActualTypeArguments();
            Type[] found = new Type[given.length];
            for (int i = 0; i < given.length; i++) {
                found[i] = resolved(given[i], known);
            }
            return new Parameterized(raw(type), found);
        }
        if (type instanceof GenericArrayType) {
            Type inner = resolved(((GenericArrayType) type).getGenericComponentType(), known);
            return Array.newInstance(raw(inner), 0).getClass().getComponentType() == inner
                    ? Array.newInstance(raw(inner), 0).getClass()
                    : (GenericArrayType) () -> inner;
        }
        if (type instanceof WildcardType) {
            return resolved(((WildcardType) type).getUpperBounds()[0], known);
        }
        return type;
    }

    /** What the variables of a type, and of all that it extends, stand for. */
    static Map<TypeVariable<?>, Type> variables(Type type) {
        Map<TypeVariable<?>, Type> known = new HashMap<>();
        collect(type, known);
        return known;
    }

    private static void collect(Type type, Map<TypeVariable<?>, Type> known) {
        if (type == null) {
            return;
        }
        if (type instanceof ParameterizedType) {
            TypeVariable<?>[] names = raw(type).getTypeParameters();
            Type[] given = ((ParameterizedType) type).getActualTypeArguments();
            for (int i = 0; i < names.length && i < given.length; i++) {
                known.putIfAbsent(names[i], resolved(given[i], known));
            }
        }
        Class<?> kind = raw(type);
        collect(kind.getGenericSuperclass(), known);
        for (Type each : kind.getGenericInterfaces()) {
            collect(each, known);
        }
    }

    /** What the n-th variable of a superclass or interface stands for in a type; Object when it is left open. */
    static Type argument(Type type, Class<?> of, int number) {
        TypeVariable<?>[] names = of.getTypeParameters();
        Type found = number < names.length ? variables(type).get(names[number]) : null;
        return found == null || found instanceof TypeVariable && raw(found) == Object.class ? Object.class : found;
    }

    private static final class Parameterized implements ParameterizedType {
        private final Class<?> kind;
        private final Type[] arguments;

        Parameterized(Class<?> kind, Type[] arguments) {
            this.kind = kind;
            this.arguments = arguments;
        }

        @Override
        public Type[] getActualTypeArguments() {
            return arguments.clone();
        }

        @Override
        public Type getRawType() {
            return kind;
        }

        @Override
        public Type getOwnerType() {
            return kind.getDeclaringClass();
        }
    }
}
