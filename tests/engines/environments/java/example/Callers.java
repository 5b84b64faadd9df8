package example;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URL;

/** Calls AWS by its own names. */
public class Callers {
    public int status(String url) throws IOException {
        return ((HttpURLConnection) new URL(url).openConnection()).getResponseCode();
    }
}
