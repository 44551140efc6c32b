package dev.levee.examples.shortlink.smoke;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An answer over HTTP/1.1, without its body.
 *
 * @param status the status
 * @param headers by their names in lower case
 */
record Answer(int status, Map<String, String> headers) {
    private static final String END = "\r\n\r\n";

    /** Reads an answer with a {@code Content-Length}, or returns null if it has not all come. */
    static @Nullable Answer read(byte[] bytes, int length) {
        String text = new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
        int end = text.indexOf(END);
        if (end < 0) {
            return null;
        }
        String[] lines = text.substring(0, end).split("\r\n", -1);
        Map<String, String> headers = new HashMap<>();
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            headers.put(
                    lines[i].substring(0, colon).toLowerCase(Locale.ROOT),
                    lines[i].substring(colon + 1).strip());
        }
        int body = Integer.parseInt(headers.getOrDefault("content-length", "0"));
        return end + END.length() + body > length
                ? null
                : new Answer(Integer.parseInt(lines[0].split(" ", 3)[1]), headers);
    }

    /** Returns the value of a header, or empty. */
    String header(String name) {
        return headers.getOrDefault(name.toLowerCase(Locale.ROOT), "");
    }
}
