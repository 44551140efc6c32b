package dev.levee.console;

import dev.levee.core.internal.Require;
import dev.levee.core.internal.Text;
import java.net.InetAddress;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a {@link Console}: where it listens, which names it answers to, and the token that buttons need.
 * Immutable.
 *
 * @since 0.1
 */
public final class ConsoleConfig {
    /** The shortest token, in characters. */
    public static final int MIN_TOKEN_CHARS = 16;

    /** The longest token, in characters. */
    public static final int MAX_TOKEN_CHARS = 200;

    /** How many pages may follow at the same time at most, whatever is set. */
    public static final int MAX_STREAMS = 64;

    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]+");
    private static final Pattern HOST =
            Pattern.compile("([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:.]+])(:[0-9]{1,5})?");

    private final int port;
    private final InetAddress bind;
    private final String title;
    private final int streams;
    private final Set<String> hosts;
    private final @Nullable String token;

    private ConsoleConfig(Builder builder) {
        if (!builder.bind.isLoopbackAddress() && builder.token == null) {
            throw new IllegalArgumentException(
                    "bind must be a loopback address unless a token is set, but was " + builder.bind.getHostAddress());
        }
        this.port = builder.port;
        this.bind = builder.bind;
        this.title = builder.title;
        this.streams = builder.streams;
        this.hosts = Set.copyOf(builder.hosts);
        this.token = builder.token;
    }

    /**
     * Returns a builder with the defaults.
     *
     * @return a builder; not thread-safe
     */
    public static Builder builder() {
        return new Builder();
    }

    int port() {
        return port;
    }

    InetAddress bind() {
        return bind;
    }

    String title() {
        return title;
    }

    int streams() {
        return streams;
    }

    Set<String> hosts() {
        return hosts;
    }

    @Nullable String token() {
        return token;
    }

    /** Whether what is shown needs the token too: it does where others than this machine can ask. */
    boolean readsNeedToken() {
        return !bind.isLoopbackAddress();
    }

    /**
     * Says the settings, but not the token.
     *
     * @return one line for logs
     */
    @Override
    public String toString() {
        return "ConsoleConfig[port=" + port + ", bind=" + bind.getHostAddress() + ", title=\"" + title + "\", streams="
                + streams + ", hosts=" + hosts + ", token=" + (token == null ? "none" : "set") + "]";
    }

    /**
     * Sets the parts of a {@link ConsoleConfig}.
     *
     * @since 0.1
     */
    public static final class Builder {
        private int port;
        private InetAddress bind = InetAddress.getLoopbackAddress();
        private String title = "Levee";
        private int streams = 16;
        private final Set<String> hosts = new LinkedHashSet<>();
        private @Nullable String token;

        private Builder() {}

        /**
         * Sets the port. Default: 0, which takes any that is free.
         *
         * @param value from 0 to 65 535
         * @return this
         * @throws IllegalArgumentException if it is outside
         */
        public Builder port(int value) {
            port = Require.range("port", value, 0, 65_535);
            return this;
        }

        /**
         * Sets the address to listen on. Default: loopback. Any other one needs a {@link #token}, which the page then
         * asks for before it shows anything, and the {@linkplain #host names} that browsers use; there is no TLS, so
         * put a proxy in front that has it.
         *
         * @param value an address of this machine
         * @return this
         * @throws NullPointerException if it is null
         */
        public Builder bind(InetAddress value) {
            bind = Require.nonNull("bind", value);
            return this;
        }

        /**
         * Sets what the page is headed with, such as the name of the service. Default: {@code Levee}.
         *
         * @param value not blank, without control characters
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is blank or has a control character
         */
        public Builder title(String value) {
            title = Require.name(value);
            return this;
        }

        /**
         * Sets how many pages may follow at the same time; one more is told so, and tries again. Each holds a thread
         * while it is open. Default: 16.
         *
         * @param value from 1 to {@link #MAX_STREAMS}
         * @return this
         * @throws IllegalArgumentException if it is outside
         */
        public Builder streams(int value) {
            streams = Require.range("streams", value, 1, MAX_STREAMS);
            return this;
        }

        /**
         * Adds a name under which a browser may ask for the page, as it stands in the header {@code Host}: that of a
         * proxy, say. Default: {@code localhost}, {@code 127.0.0.1} and {@code [::1]}, with the port. Any other name is
         * refused, because a foreign page could point a name of its own at this machine (DNS rebinding).
         *
         * @param value a name or an address in lower case, with a port unless it is 80 or 443; without wildcards
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is no such name
         */
        public Builder host(String value) {
            if (!HOST.matcher(Require.nonNull("host", value)).matches()
                    || !value.equals(value.toLowerCase(Locale.ROOT))) {
                throw new IllegalArgumentException(
                        "host must be a name in lower case, and a port if it is not the usual one, but was \""
                                + Text.printable(value) + "\"");
            }
            hosts.add(value);
            return this;
        }

        /**
         * Sets the token that the buttons need. Default: none, and the page only shows.
         *
         * @param value visible ASCII characters, from {@link #MIN_TOKEN_CHARS} to {@link #MAX_TOKEN_CHARS}; a secret
         * @return this
         * @throws NullPointerException if it is null
         * @throws IllegalArgumentException if it is too short, too long, or has other characters; the message does not
         *     have it
         */
        public Builder token(String value) {
            int length = Require.nonNull("token", value).length();
            if (length < MIN_TOKEN_CHARS || length > MAX_TOKEN_CHARS) {
                throw new IllegalArgumentException("token must have from " + MIN_TOKEN_CHARS + " to " + MAX_TOKEN_CHARS
                        + " characters, but has " + length);
            }
            if (!TOKEN.matcher(value).matches()) {
                throw new IllegalArgumentException("token must consist of visible ASCII characters");
            }
            token = value;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws IllegalArgumentException if {@link #bind} is no loopback address and there is no token
         */
        public ConsoleConfig build() {
            return new ConsoleConfig(this);
        }
    }
}
