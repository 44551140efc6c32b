package dev.levee.jcache;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Loaders, writers and policies that the factories of an application have made for one cache. */
final class OwnedParts {
    private OwnedParts() {}

    /**
     * Closes those that can be closed, all of them, whatever one throws.
     *
     * @throws RuntimeException what the first of them threw
     */
    static void close(String cache, @Nullable Object... parts) {
        RuntimeException first = null;
        for (Object part : Arrays.asList(parts)) {
            try {
                if (part instanceof Closeable closeable) {
                    closeable.close();
                }
            } catch (IOException failed) {
                UncheckedIOException seen =
                        new UncheckedIOException("cache \"" + cache + "\" could not be closed", failed);
                first = first == null ? seen : first;
            } catch (RuntimeException failed) {
                first = first == null ? failed : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
