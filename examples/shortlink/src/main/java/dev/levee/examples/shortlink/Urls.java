package dev.levee.examples.shortlink;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What counts as a URL, and files of them. */
public final class Urls {
    /** The longest URL that is taken. */
    public static final int MAX_LENGTH = 2048;

    private static final String NO_URL = "not an http or https URL: ";

    private Urls() {}

    /**
     * Takes a text if it is a URL that a browser can be sent to.
     *
     * @param text what a client sent, or a line of a file
     * @return the text, with what is not ASCII escaped
     * @throws UsageException if it is none; the message says why
     */
    public static String require(String text) throws UsageException {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw new UsageException(NO_URL + printable(text));
        }
        String scheme = String.valueOf(uri.getScheme());
        if (uri.getHost() == null || !(scheme.equalsIgnoreCase("http") || scheme.equalsIgnoreCase("https"))) {
            throw new UsageException(NO_URL + printable(text));
        }
        String url = uri.toASCIIString(); // what a Location header can carry
        if (url.length() > MAX_LENGTH) {
            throw new UsageException("a URL has at most " + MAX_LENGTH + " characters, this one " + url.length());
        }
        return url;
    }

    /**
     * Reads URLs, one a line; blank lines and lines that start with # are skipped.
     *
     * @param file the file, or null for the bundled one
     * @return at least one URL, in the order of the file
     * @throws UsageException if the file cannot be read, or a line is no URL
     */
    public static List<String> read(@Nullable Path file) throws UsageException {
        try (BufferedReader reader = file == null ? bundled() : Files.newBufferedReader(file)) {
            Set<String> urls = new LinkedHashSet<>();
            for (String line : reader.lines().map(String::strip).toList()) {
                if (!line.isEmpty() && !line.startsWith("#")) {
                    urls.add(require(line));
                }
            }
            if (urls.isEmpty()) {
                throw new UsageException("no URL in " + file);
            }
            return List.copyOf(urls);
        } catch (IOException | UncheckedIOException e) {
            throw new UsageException("cannot read the file of URLs: " + file);
        }
    }

    private static BufferedReader bundled() {
        InputStream stream = Objects.requireNonNull(Urls.class.getResourceAsStream("/urls.txt"));
        return new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
    }

    private static String printable(String text) {
        String start = text.length() <= 80 ? text : text.substring(0, 80) + "...";
        return '"' + start.replaceAll("\\p{Cntrl}", "?") + '"';
    }
}
