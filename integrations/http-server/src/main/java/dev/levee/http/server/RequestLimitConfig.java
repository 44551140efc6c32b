package dev.levee.http.server;

import dev.levee.core.internal.Require;
import dev.levee.ratelimit.http.HeaderStyle;
import dev.levee.ratelimit.http.QuotaPolicy;
import java.time.Duration;
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
    private final @Nullable String policyName;
    private final boolean tellsAdmitted;
    private final boolean admitsOnFailure;
    private final @Nullable InstantSource wallClock;

    private RequestLimitConfig(Builder builder) {
        headers = builder.headers;
        policy = builder.policy;
        policyName = builder.policyName;
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
     * Returns what all clients are told to be their limit.
     *
     * @return the policy; empty if there is none that is the same for all
     */
    public Optional<QuotaPolicy> policy() {
        return Optional.ofNullable(policy);
    }

    /**
     * Returns under which name clients are told the limit of their key.
     *
     * @return the name; empty if they are told another policy, or none
     */
    public Optional<String> policyName() {
        return Optional.ofNullable(policyName);
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
        private @Nullable String policyName;
        private boolean tellsAdmitted = true;
        private boolean admitsOnFailure;
        private @Nullable InstantSource wallClock;

        Builder() {}

        private Builder(RequestLimitConfig config) {
            headers = config.headers;
            policy = config.policy;
            policyName = config.policyName;
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
         * What all clients are told to be their limit, word for word; for a policy with a unit or a partition key.
         * Where keys have limits of their own, or the limit may change, use {@link #policyName}. Default: none; what is
         * left is told under the name {@code default}.
         *
         * @param value the policy; its name goes out to clients, that of the limiter does not
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder policy(QuotaPolicy value) {
            policy = Require.nonNull("policy", value);
            return this;
        }

        /**
         * Under which name clients are told the limit of their key, as the limiter applied it to the request:
         * {@link QuotaPolicy#of(String, dev.levee.ratelimit.Limit)} of it. Default: none, it is not told.
         *
         * @param value the name, printable ASCII; it goes out to clients, that of the limiter does not
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it has other characters
         */
        public Builder policyName(String value) {
            policyName = QuotaPolicy.of(Require.nonNull("policyName", value), 0, Duration.ofSeconds(1))
                    .name();
            return this;
        }

        /**
         * Whether responses to requests that were admitted have headers, too. Default: true.
         *
         * @param value true to tell
         * @return this
         */
        public Builder tellsAdmitted(boolean value) {
            tellsAdmitted = value;
            return this;
        }

        /**
         * Whether requests are admitted if the limiter or the function of the key throws, or the key or the decision is
         * null. Default: false: they are answered with 503, so that a limit is never silently not applied. Choose true
         * where the service without its limit is better than no service, as with a limiter that depends on another
         * process. Failures are logged in both cases, at most once a minute.
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
         * @throws IllegalArgumentException if the form needs a clock and there is none, or there are both a policy and
         *     a name for that of the limiter
         */
        public RequestLimitConfig build() {
            if (headers == HeaderStyle.X_EPOCH && wallClock == null) {
                throw new IllegalArgumentException("wallClock must be set for headers " + headers);
            }
            if (policy != null && policyName != null) {
                throw new IllegalArgumentException(
                        "policyName must not be set with a policy, but was \"" + policyName + "\" with " + policy);
            }
            return new RequestLimitConfig(this);
        }
    }
}
