package cumulo.runtime;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.CustomPojoSerializer;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.RequestStreamHandler;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/** Finds what a handler's name means, and what it takes and gives. */
final class Handlers {
    private static final byte[] NULL = {'n', 'u', 'l', 'l'};
    private static CustomPojoSerializer serializer;

    private Handlers() {
    }

    /** A function, whatever its signature. */
    interface Handler {
        void call(InputStream input, OutputStream output, Context context) throws Throwable;
    }

    /** Throws a Fault where the init is over with it; other faults come with every invocation, as on AWS. */
    static Handler find(String handler, ClassLoader loader) {
        int colons = handler.lastIndexOf("::");
        String name = colons < 0 ? handler : handler.substring(0, colons);
        String method = colons < 0 ? null : handler.substring(colons + 2);
        if (name.isEmpty() || (method != null && method.isEmpty())) {
            return failing(new Fault("Invalid handler: `" + handler + "'"));
        }
        Class<?> found;
        try {
            found = Class.forName(name, true, loader);
        } catch (ClassNotFoundException error) {
            String trace = Fault.of(error, false).trace;
            return failing(new Fault("Class not found: " + name, error.getClass().getName(), trace, false));
        } catch (NoClassDefFoundError error) {
            return failing(Fault.loading(error, name));
        } catch (Throwable error) {
            throw Fault.loading(error, name);
        }
        try {
            loadSerializer(loader);
            return method == null ? ofClass(found) : ofMethod(found, method);
        } catch (Fault fault) {
            if (fault.fatal) {
                throw fault;
            }
            return failing(fault);
        } catch (Throwable error) {
            return failing(Fault.of(error, false));
        }
    }

    private static Handler failing(Fault fault) {
        return (input, output, context) -> {
            throw fault;
        };
    }

    private static void loadSerializer(ClassLoader loader) {
        Iterator<CustomPojoSerializer> all = ServiceLoader.load(CustomPojoSerializer.class, loader).iterator();
        if (all.hasNext()) {
            serializer = all.next();
            if (all.hasNext()) {
                throw new Fault("Too many serializers provided inside the META-INF/services folder, only one is allowed");
            }
        }
    }

    // classes

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Handler ofClass(Class<?> found) throws Exception {
        if (RequestStreamHandler.class.isAssignableFrom(found)) {
            RequestStreamHandler handler = (RequestStreamHandler) made(found);
            return handler::handleRequest;
        }
        if (!RequestHandler.class.isAssignableFrom(found)) {
            throw new Fault("Class does not implement an appropriate handler interface: " + found.getName());
        }
        Map<TypeVariable<?>, Type> known = Types.variables(found);
        TypeVariable<?>[] names = RequestHandler.class.getTypeParameters();
        if (!known.containsKey(names[0])) {
            throw new Fault(
                    "Class " + found.getName() + " does not implement RequestHandler with concrete type parameters");
        }
        Type[] types = {known.get(names[0]), known.get(names[1])};
        for (Type type : types) {
            if (type instanceof TypeVariable && Types.raw(type) == Object.class) {
                throw new Fault("Class " + found.getName() + " does not implement RequestHandler with concrete type"
                        + " parameters: parameter " + type + " has no upper bound.");
            }
        }
        RequestHandler handler = (RequestHandler) made(found);
        return converting(types[0], types[1], (input, context) -> handler.handleRequest(input, context));
    }

    // methods

    private static Handler ofMethod(Class<?> found, String name) throws Exception {
        List<Method> named = new ArrayList<>();
        for (Method each : found.getMethods()) {
            if (each.getName().equals(name)) {
                named.add(each);
            }
        }
        named.sort((one, other) -> {
            if (one.isBridge() != other.isBridge()) {
                return one.isBridge() ? 1 : -1;
            }
            return Integer.compare(weight(other), weight(one));
        });
        for (Method each : named) {
            Handler handler = ofMethod(found, each);
            if (handler != null) {
                return handler;
            }
        }
        throw new Fault("No public method named " + name + " with appropriate method signature found on class "
                + found.getName());
    }

    /** Longer signatures are preferred; those that end with the context count for one more. */
    private static int weight(Method method) {
        Class<?>[] types = method.getParameterTypes();
        return types.length + (types.length > 0 && types[types.length - 1] == Context.class ? 1 : 0);
    }

    private static Handler ofMethod(Class<?> found, Method method) throws Exception {
        Type[] types = method.getGenericParameterTypes();
        boolean context = types.length > 0 && types[types.length - 1] == Context.class;
        int others = types.length - (context ? 1 : 0);
        boolean input = others > 0 && types[0] == InputStream.class;
        boolean output = others > 0 && types[others - 1] == OutputStream.class;
        if (input || output) {
            if (others == (input && output ? 2 : 1)) {
                return ofStreams(found, method, input, output, context);
            }
        } else if (others <= 1 && !(others == 1 && types[0] == Context.class)) {
            return ofValues(found, method, others == 1 ? types[0] : null, context);
        }
        System.err.println(ignored(method, types));
        return null;
    }

    private static String ignored(Method method, Type[] types) {
        if (types.length > 3) {
            return "Ignoring an overload of method " + method.getName()
                    + " because it has too many parameters: Expected at most 3, got " + types.length;
        } else if (types.length == 3) {
            return "Ignoring three-argument overload because argument signature is not (InputStream, OutputStream, Context";
        } else if (types[0] == OutputStream.class) {
            return "Ignoring two-argument overload because first argument type is OutputStream and second argument type"
                    + " is not Context";
        } else if (types[0] == Context.class) {
            return "Ignoring two-argument overload because first argument type is Context";
        } else if (types[0] == InputStream.class) {
            return "Ignoring two-argument overload because second parameter type, " + Types.raw(types[1]).getName()
                    + ", is not OutputStream.";
        }
        return "Ignoring two-argument overload because second parameter type is not Context";
    }

    private static Handler ofStreams(Class<?> found, Method method, boolean in, boolean out, boolean context)
            throws Exception {
        if (method.getReturnType() != void.class) {
            System.err.println("Will ignore return type " + method.getReturnType() + " on byte stream handler");
        }
        Object instance = Modifier.isStatic(method.getModifiers()) ? null : made(found);
        return (input, output, given) -> {
            List<Object> arguments = new ArrayList<>(3);
            if (in) {
                arguments.add(input);
            }
            if (out) {
                arguments.add(output);
            }
            if (context) {
                arguments.add(given);
            }
            called(method, instance, arguments);
            if (!out) {
                output.write(NULL);
            }
        };
    }

    private static Handler ofValues(Class<?> found, Method method, Type input, boolean context) throws Exception {
        Object instance = Modifier.isStatic(method.getModifiers()) ? null : made(found);
        Map<TypeVariable<?>, Type> known = Types.variables(found);
        Type in = input == null ? null : Types.resolved(input, known);
        Type out = Types.resolved(method.getGenericReturnType(), known);
        return converting(in, out, (value, given) -> {
            List<Object> arguments = new ArrayList<>(2);
            if (input != null) {
                arguments.add(value);
            }
            if (context) {
                arguments.add(given);
            }
            return called(method, instance, arguments);
        });
    }

    private static Object called(Method method, Object instance, List<Object> arguments) throws Throwable {
        try {
            return method.invoke(instance, arguments.toArray());
        } catch (InvocationTargetException error) {
            throw error.getCause() == null ? error : error.getCause();
        }
    }

    private static Object made(Class<?> found) throws Exception {
        Constructor<?> constructor;
        try {
            constructor = found.getConstructor();
        } catch (NoSuchMethodException none) {
            if (found.getEnclosingClass() != null && !Modifier.isStatic(found.getModifiers())) {
                throw new Exception("Class " + found.getName()
                        + " cannot be instantiated because it is a non-static inner class");
            }
            throw new Exception("Class " + found.getName() + " has no public zero-argument constructor", none);
        }
        try {
            return constructor.newInstance();
        } catch (InvocationTargetException error) {
            throw Fault.of(error.getCause() == null ? error : error.getCause(), true);
        }
    }

    // JSON

    /** What happens between the input and the output of functions that take and give objects. */
    private interface Body {
        Object call(Object input, Context context) throws Throwable;
    }

    private static Handler converting(Type in, Type out, Body body) {
        return (input, output, context) -> {
            Object value;
            try {
                value = in == null ? null : read(input, in);
            } catch (Throwable error) {
                throw new RuntimeException("An error occurred during JSON parsing", Fault.cut(error));
            }
            Object answer = body.call(value, context);
            try {
                if (out == void.class || out == Void.class) {
                    output.write(NULL);
                } else if (serializer != null) {
                    serializer.toJson(answer, output, out);
                } else {
                    output.write(Writer.write(answer).getBytes(StandardCharsets.UTF_8));
                }
            } catch (Throwable error) {
                throw new RuntimeException("An error occurred during JSON serialization of response", error);
            }
        };
    }

    private static Object read(InputStream input, Type type) throws Exception {
        if (serializer != null) {
            return serializer.fromJson(input, type);
        }
        return Binder.bind(Json.read(new String(all(input), StandardCharsets.UTF_8)), type);
    }

    private static byte[] all(InputStream input) throws IOException {
        ByteArrayOutputStream found = new ByteArrayOutputStream(Math.max(32, input.available()));
        byte[] part = new byte[8192];
        for (int count = input.read(part); count >= 0; count = input.read(part)) {
            found.write(part, 0, count);
        }
        return found.toByteArray();
    }
}
