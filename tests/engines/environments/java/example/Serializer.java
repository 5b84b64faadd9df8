package example;

import com.amazonaws.services.lambda.runtime.CustomPojoSerializer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Type;

public class Serializer implements CustomPojoSerializer {
    @Override
    @SuppressWarnings("unchecked")
    public <T> T fromJson(InputStream input, Type type) { return (T) ("read as " + type.getTypeName()); }

    @Override
    @SuppressWarnings("unchecked")
    public <T> T fromJson(String input, Type type) { return (T) input; }

    @Override
    public <T> void toJson(T value, OutputStream output, Type type) {
        try {
            output.write(("[\"" + value + "\"]").getBytes());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
