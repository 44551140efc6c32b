package dev.levee.core;

import dev.levee.core.internal.Require;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * How much it matters that a call is served, when not all can be: what is shed last, and what first.
 *
 * <p>It belongs to a request as a whole: set it once where the request arrives, and everything that is called on its
 * behalf inherits it ({@link CallContext#withCriticality}), through executors, retries, hedges and asynchronous forms.
 * Gates that shed under overload read it; all others ignore it. To rank calls of a normal load, use queues of your own.
 *
 * <p>Between services it travels as a header:
 *
 * <pre>{@code
 * // the service that calls
 * request.header(Criticality.HEADER, CallContext.current().criticality().toHeader());
 * // the service that is called
 * Criticality criticality = Criticality.ofHeader(request.header(Criticality.HEADER));
 * return CallContext.current().withCriticality(criticality).call(() -> handle(request));
 * }</pre>
 *
 * <p>A header is never trusted to raise a call above {@link #CRITICAL}, the default: any client can write one. Only
 * where the peer is known, say by its certificate, name the highest that it may ask for ({@link #ofHeader(String,
 * Criticality)}).
 *
 * <p>The constants are in order, the most critical first.
 *
 * @see <a href="https://sre.google/sre-book/handling-overload/">Google: Site Reliability Engineering, chapter 21,
 *     "Handling Overload" (2016)</a>, where the four names come from
 * @since 0.1
 */
@SuppressWarnings("EnumOrdinal") // the order of the constants is that of how critical they are
public enum Criticality {
    /** Its failure is an outage that users see at once and badly. Few calls are; capacity must suffice for all. */
    CRITICAL_PLUS,
    /** Its failure is seen by users. What a call is that says nothing. Capacity must suffice for all. */
    CRITICAL,
    /** May be unavailable for minutes: work that is repeated later, such as batches. */
    SHEDDABLE_PLUS,
    /** May be unavailable often, and for hours: prefetches, crawlers, backfills. */
    SHEDDABLE;

    /** The name of an HTTP header, or of a gRPC metadata key, for {@link #toHeader}. */
    public static final String HEADER = "Levee-Criticality";

    private static final Criticality[] ALL = values();
    private static final String[] TEXTS = new String[ALL.length];

    static {
        for (Criticality each : ALL) {
            TEXTS[each.ordinal()] = each.name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    static Criticality ofOrdinal(int ordinal) {
        return ALL[ordinal];
    }

    /**
     * Returns this as text for a header. Allocates nothing.
     *
     * @return {@code critical-plus}, {@code critical}, {@code sheddable-plus} or {@code sheddable}
     */
    public String toHeader() {
        return TEXTS[ordinal()];
    }

    /**
     * Reads the criticality of a request of an unknown sender: at most {@link #CRITICAL}. The same as
     * {@code ofHeader(text, CRITICAL)}.
     *
     * @param text the value of the header, or null if there is none
     * @return {@link #CRITICAL} if there is none or it is malformed
     */
    public static Criticality ofHeader(@Nullable String text) {
        return ofHeader(text, CRITICAL);
    }

    /**
     * Reads the criticality of a request of a peer that may ask for more than {@link #CRITICAL}. The case of letters
     * and white space around does not matter. Of several values in one text, with commas between them, the least
     * critical counts: join the values of a header that is there more than once by commas.
     *
     * @param text the value of the header, or null if there is none
     * @param atMost the most critical that is believed
     * @return the value; {@link #CRITICAL}, or {@code atMost} if that is less, if there is none or one is malformed
     * @throws NullPointerException if {@code atMost} is null
     */
    public static Criticality ofHeader(@Nullable String text, Criticality atMost) {
        Require.nonNull("atMost", atMost);
        Criticality found = text == null ? CRITICAL : leastOf(text);
        return found.lesser(atMost);
    }

    /**
     * Returns the less critical of two.
     *
     * @param other the other one
     * @return this or the other
     * @throws NullPointerException if {@code other} is null
     */
    public Criticality lesser(Criticality other) {
        return Require.nonNull("other", other).ordinal() > ordinal() ? other : this;
    }

    private static Criticality leastOf(String text) {
        int comma = text.indexOf(',');
        if (comma < 0) {
            return one(text);
        }
        Criticality least = CRITICAL_PLUS;
        int from = 0;
        while (comma >= 0) {
            least = least.lesser(one(text.substring(from, comma)));
            from = comma + 1;
            comma = text.indexOf(',', from);
        }
        return least.lesser(one(text.substring(from)));
    }

    private static Criticality one(String text) {
        String stripped = text.strip();
        for (Criticality each : ALL) {
            if (TEXTS[each.ordinal()].equalsIgnoreCase(stripped)) {
                return each;
            }
        }
        return CRITICAL;
    }
}
