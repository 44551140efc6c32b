package dev.levee.http.server;

import dev.levee.core.internal.Require;
import dev.levee.ratelimit.http.HeaderStyle;
import dev.levee.ratelimit.http.QuotaPolicy;
import java.time.InstantSource;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a server tells its clients of their limit, and what it does if the limiter fails. Immutable.
 *
 * @since 0.1
 */
public final class RequestLimitConfig {
    private final HeaderStyle headers;
    private final @Nullable QuotaPolicy policy;
    private final boolean tellsAdmitted;
    private final boolean admitsOnFailure;
    private final @Nullable InstantSource wallClock;

    private RequestLimitConfig(Builder builder) {
        headers = builder.headers;
        policy = builder.policy;
        tellsAdmitted = builder.tellsAdmitted;
        admitsOnFailure = builder.admitsOnFailure;
        wallClock = builder.wallClock;
    }

    /**
     * Starts from the defaults.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * Starts from these settings.
     *
     * @return a builder; not thread-safe
     */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /**
     * Returns the form of the headers.
     *
     * @return the form
     */
    public HeaderStyle headers() {
        return headers;
    }

    /**
     * Returns what clients are told to be their limit.
     *
     * @return the policy; empty if they are not told
     */
    public Optional<QuotaPolicy> policy() {
        return Optional.ofNullable(policy);
    }

    /**
     * Returns whether responses to requests that were admitted have headers, too.
     *
     * @return true to tell
     */
    public boolean tellsAdmitted() {
        return tellsAdmitted;
    }

    /**
     * Returns whether requests are admitted if the limiter fails.
     *
     * @return true to admit, false to refuse
     */
    public boolean admitsOnFailure() {
        return admitsOnFailure;
    }

    /**
     * Returns the time of day.
     *
     * @return the clock; empty if none is needed
     */
    public Optional<InstantSource> wallClock() {
        return Optional.ofNullable(wallClock);
    }

    /**
     * Sets up a filter.
     *
     * @since 0.1
     */
    public static final class Builder {
        private HeaderStyle headers = HeaderStyle.STRUCTURED;
        private @Nullable QuotaPolicy policy;
        private boolean tellsAdmitted = true;
        private boolean admitsOnFailure;
        private @Nullable InstantSource wallClock;

        Builder() {}

        private Builder(RequestLimitConfig config) {
            headers = config.headers;
            policy = config.policy;
            tellsAdmitted = config.tellsAdmitted;
            admitsOnFailure = config.admitsOnFailure;
            wallClock = config.wallClock;
        }

        /**
         * In which form clients are told their limit. Default: {@link HeaderStyle#STRUCTURED}. A refusal has a
         * {@code Retry-After} with each of them.
         *
         * @param value the form
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder headers(HeaderStyle value) {
            headers = Require.nonNull("headers", value);
            return this;
        }

        /**
         * What clients are told to be their limit: {@link QuotaPolicy#of(String, dev.levee.ratelimit.Limit)} of that of
         * the limiter. Its name goes out to clients, that of the limiter does not. Default: none; what is left is told
         * under the name {@code default}.
         *
         * @param value the policy
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder policy(QuotaPolicy value) {
            policy = Require.nonNull("policy", value);
            return this;
        }

        /**
         * Whether responses to requests that were admitted have headers, too. Default: true. Without, what is left of a
         * key is not asked for, which saves one look-up a request.
         *
         * @param value true to tell
         * @return this
         */
        public Builder tellsAdmitted(boolean value) {
            tellsAdmitted = value;
            return this;
        }

        /**
         * Whether requests are admitted if the limiter or the function of the key throws, or the key is null. Default:
         * false: they are answered with 503, so that a limit is never silently not applied. Choose true where the
         * service without its limit is better than no service, as with a limiter that depends on another process.
         * Failures are logged in both cases, at most once a minute.
         *
         * @param value true to admit, false to refuse
         * @return this
         */
        public Builder admitsOnFailure(boolean value) {
            admitsOnFailure = value;
            return this;
        }

        /**
         * The time of day, such as {@code Clock.systemUTC()}. Default: none. Must be set for
         * {@link HeaderStyle#X_EPOCH}, which alone needs it.
         *
         * @param value the clock
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder wallClock(InstantSource value) {
            wallClock = Require.nonNull("wallClock", value);
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if the form needs a clock and there is none
         */
        public RequestLimitConfig build() {
            if (headers == HeaderStyle.X_EPOCH && wallClock == null) {
                throw new IllegalArgumentException("wallClock must be set for headers " + headers);
            }
            return new RequestLimitConfig(this);
        }
    }
}
