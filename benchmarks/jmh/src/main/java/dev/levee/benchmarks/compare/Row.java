package dev.levee.benchmarks.compare;

/**
 * One figure.
 *
 * @param question what was asked
 * @param subject the library that was measured: {@code levee}, a peer, or {@code floor}
 * @param threads how many threads called at once
 * @param ns the median of the iterations of all forks, in nanoseconds per call; or what the question's unit says
 * @param error JMH's score error at 99.9 %, or half the range of the iterations where JMH has none
 * @param bytes what a call allocates, to a tenth of a byte; zero where it is less than {@link #NOISE}
 */
record Row(Question question, String subject, int threads, double ns, double error, double bytes) {
    static final String LEVEE = "levee";
    static final String FLOOR = "floor";

    /** JMH counts what its own harness allocates in an iteration, which is a fraction of a byte per call. */
    static final double NOISE = 0.5;

    /** Levee's answer, which targets and ratios are about. */
    boolean isLevee() {
        return subject.equals(LEVEE);
    }

    /** Levee's answer, or another row of its own such as {@code levee-call}. */
    boolean isOwn() {
        return isLevee() || subject.startsWith(LEVEE + "-");
    }

    boolean isPeer() {
        return !isOwn() && !subject.equals(FLOOR);
    }
}
