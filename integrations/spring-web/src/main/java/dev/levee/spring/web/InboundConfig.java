package dev.levee.spring.web;

import dev.levee.core.Deadline;
import dev.levee.core.consistency.Consistency;
import dev.levee.core.consistency.Session;
import dev.levee.core.internal.Require;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What {@link InboundFilter} and {@link InboundWebFilter} take from a request. Without settings they trust no header.
 *
 * <p>Immutable.
 *
 * @since 0.1
 */
public final class InboundConfig {
    private static final Pattern FIELD_NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}");

    private final boolean trustsDeadline;
    private final Duration maxTime;
    private final @Nullable String correlationHeader;
    private final boolean trustsCorrelation;
    private final boolean sessions;

    private InboundConfig(Builder builder) {
        trustsDeadline = builder.trustsDeadline;
        maxTime = builder.maxTime;
        correlationHeader = builder.correlationHeader;
        trustsCorrelation = builder.trustsCorrelation;
        sessions = builder.sessions;
    }

    static InboundConfig of(Consumer<? super Builder> configure) {
        return Require.configured("filter", "inbound", new Builder(), configure, Builder::build);
    }

    boolean trustsDeadline() {
        return trustsDeadline;
    }

    Duration maxTime() {
        return maxTime;
    }

    @Nullable String correlationHeader() {
        return correlationHeader;
    }

    boolean trustsCorrelation() {
        return trustsCorrelation;
    }

    boolean sessions() {
        return sessions;
    }

    /**
     * Sets what is taken from a request. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private boolean trustsDeadline;
        private Duration maxTime = Deadline.FOREVER;
        private @Nullable String correlationHeader;
        private boolean trustsCorrelation;
        private boolean sessions;

        Builder() {}

        /**
         * Takes the deadline that is in the header {@link Deadline#HEADER} of a request: for services that only others
         * of the same owner call. One that cannot be read is ignored. Default: false.
         *
         * @param value whether to take it
         * @return this
         */
        public Builder trustDeadline(boolean value) {
            trustsDeadline = value;
            return this;
        }

        /**
         * Sets how much time a request has at most, whatever its header says. Default: {@link Deadline#FOREVER}.
         *
         * @param value more than zero
         * @return this
         * @throws NullPointerException if {@code value} is null
         * @throws IllegalArgumentException if it is zero or negative
         */
        public Builder maxTime(Duration value) {
            maxTime = Require.positive("maxTime", value);
            return this;
        }

        /**
         * Gives each request a correlation id: in the log context under {@link InboundFilter#CORRELATION}, as an
         * attribute of the request, and in this header of the response. Default: none.
         *
         * @param header the name of the header
         * @param trusted whether to take the id from that header of the request, if it has 1 to 64 letters, digits,
         *     dots, dashes and underscores; otherwise, and where there is none, it is made
         * @return this
         * @throws NullPointerException if {@code header} is null
         * @throws IllegalArgumentException if it is no name of a header
         */
        public Builder correlation(String header, boolean trusted) {
            if (!FIELD_NAME.matcher(Require.nonNull("header", header)).matches()) {
                throw new IllegalArgumentException("header must be the name of a header, but was \"" + header + "\"");
            }
            correlationHeader = header;
            trustsCorrelation = trusted;
            return this;
        }

        /**
         * Handles each request with {@link Consistency#session()} in the {@link Session} of its header
         * {@link Session#HEADER}, a new one if there is none, and answers with what the session has written and seen by
         * then in the same header. A header that is no session is answered with 400. A client that changes its header
         * makes its own reads slow or stale, and no others. Default: false.
         *
         * @param value whether to do so
         * @return this
         */
        public Builder session(boolean value) {
            sessions = value;
            return this;
        }

        InboundConfig build() {
            return new InboundConfig(this);
        }
    }
}
