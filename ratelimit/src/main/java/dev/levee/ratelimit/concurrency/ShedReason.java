package dev.levee.ratelimit.concurrency;

/**
 * Why a call was refused by a gate that sheds: the answer of {@link ShedException#reason()}.
 *
 * <p>New constants may be added in any version.
 *
 * @since 0.1
 */
public enum ShedReason {
    /** No permit is free, the queue is full, and no call in it is less critical. */
    FULL("no permit is free, and in the full queue no call is less critical"),
    /** The call waited, and a more critical one took its place in the full queue. */
    DISPLACED("a more critical call took its place in the full queue"),
    /** The call has less time left until its deadline than calls take at present, or none. */
    LATE("it has less time left than calls take at present"),
    /** The call has waited as long as calls may at present. */
    WAITED("it has waited as long as calls may at present"),
    /** More calls come than can be served, and others are more critical, or of another cohort. */
    PRIORITY("more calls come than can be served, and others go before it"),
    /** The dependency accepts too few of the calls that were made lately. */
    THROTTLED("the dependency accepts too few of the calls made lately");

    private final String text;

    ShedReason(String text) {
        this.text = text;
    }

    /** Returns how messages say it, after "refused a call: ". */
    String text() {
        return text;
    }
}
