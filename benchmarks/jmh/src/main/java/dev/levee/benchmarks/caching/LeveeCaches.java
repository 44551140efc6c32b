package dev.levee.benchmarks.caching;

import dev.levee.cache.Cache;
import java.time.Duration;

/** Caches of Levee as the questions want them. */
final class LeveeCaches {
    private LeveeCaches() {}

    /** One that has everything on that a hit has to look at. */
    static Cache<Integer, String> withEverything(boolean coarseClock) {
        return Cache.over("hit", Given::value, c -> {
            c.maxSize(Given.MAX_SIZE)
                    .expireAfter(Given.LIFE)
                    .staleWhileRevalidate(Given.FRESH)
                    .staleIfError(Given.FRESH)
                    .expireAbsentAfter(Duration.ofMinutes(30))
                    .earlyExpiry(1);
            if (coarseClock) {
                c.coarseClock();
            } else {
                c.exactClock();
            }
        });
    }

    /** The same over a store that has nothing. */
    static Cache<Integer, String> ofAbsentValues() {
        return Cache.over(
                "absent",
                key -> null,
                c -> c.maxSize(Given.MAX_SIZE)
                        .expireAfter(Given.LIFE)
                        .expireAbsentAfter(Given.LIFE)
                        .staleWhileRevalidate(Given.FRESH)
                        .earlyExpiry(1)
                        .coarseClock());
    }
}
