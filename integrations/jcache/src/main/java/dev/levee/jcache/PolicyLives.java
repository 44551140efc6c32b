package dev.levee.jcache;

import dev.levee.cache.CachedValue;
import dev.levee.core.Deadline;
import java.time.Duration;
import java.util.function.Supplier;
import javax.cache.expiry.EternalExpiryPolicy;
import javax.cache.expiry.ExpiryPolicy;
import org.jspecify.annotations.Nullable;

/**
 * How long values live by the policy of an application, which is never asked under a lock. If it throws, the standard
 * asks for a default: a new value lives for ever then, and the time of another one is left as it is.
 */
final class PolicyLives {
    private final ExpiryPolicy policy;

    /** Whether values live as the settings of Levee say, which are forever by default. */
    private final boolean bySettings;

    PolicyLives(String cache, ExpiryPolicy policy) {
        this.policy = policy;
        this.bySettings = policy instanceof EternalExpiryPolicy;
        if (asked(policy::getExpiryForAccess) != null) {
            throw Unsupported.expiry(cache, policy.getClass().getSimpleName());
        }
    }

    boolean isBySettings() {
        return bySettings;
    }

    /** Of a value that is loaded. */
    Duration ofLoaded() {
        javax.cache.expiry.Duration created = asked(policy::getExpiryForCreation);
        return created == null ? Deadline.FOREVER : nanos(created);
    }

    /**
     * Of a value that is put; null if the settings say it.
     *
     * @param present what is there; null if there is nothing
     */
    @Nullable Duration ofPut(@Nullable CachedValue<?> present) {
        if (bySettings) {
            return null;
        }
        if (present == null || present.value() == null || !isFresh(present)) {
            return ofLoaded();
        }
        javax.cache.expiry.Duration updated = asked(policy::getExpiryForUpdate);
        return updated == null ? present.expiresIn() : nanos(updated);
    }

    /** What is served after its time is over is not there for the standard: what is put then is new. */
    private static boolean isFresh(CachedValue<?> present) {
        return present.expiresIn().compareTo(Duration.ZERO) > 0;
    }

    private static javax.cache.expiry.@Nullable Duration asked(
            Supplier<javax.cache.expiry.@Nullable Duration> question) {
        try {
            return question.get();
        } catch (RuntimeException noAnswer) {
            return null;
        }
    }

    private static Duration nanos(javax.cache.expiry.Duration life) {
        return life.isEternal()
                ? Deadline.FOREVER
                : Duration.ofNanos(life.getTimeUnit().toNanos(life.getDurationAmount()));
    }

    /** Returns what an application may want to close. */
    ExpiryPolicy policy() {
        return policy;
    }
}
