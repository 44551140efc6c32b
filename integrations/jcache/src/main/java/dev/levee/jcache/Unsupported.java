package dev.levee.jcache;

import dev.levee.core.internal.Text;

/** What JSR 107 has and these caches do not, each with a sentence that says why. */
final class Unsupported {
    private Unsupported() {}

    private static UnsupportedOperationException of(String cache, String sentence) {
        return new UnsupportedOperationException("cache \"" + Text.escaped(cache) + "\": " + sentence);
    }

    static UnsupportedOperationException listeners(String cache) {
        return of(
                cache,
                "listeners of entries are not supported, since values expire and are evicted without an event;"
                        + " listen to the store");
    }

    static UnsupportedOperationException statistics(String cache) {
        return of(
                cache,
                "beans of statistics are not supported; read the metrics of the Cache that unwrap returns instead");
    }

    static UnsupportedOperationException management(String cache) {
        return of(cache, "beans of management are not supported");
    }

    static UnsupportedOperationException removeAll(String cache) {
        return of(
                cache,
                "removeAll() is not supported with a CacheWriter, since the keys of the store are not known;"
                        + " name them, or use clear()");
    }

    static UnsupportedOperationException expiry(String cache, String policy) {
        return of(
                cache,
                "the expiry policy " + policy + " is not supported, since a value that lives longer by being read would"
                        + " be written by each read; use an eternal one, or one by creation or modification");
    }
}
