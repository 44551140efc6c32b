package dev.levee.ratelimit.concurrency;

/**
 * The controller of a priority shedder: which share of the calls to refuse, so that as many are let in as get done.
 *
 * <p>The error, in shares of the calls that came in the last period:
 *
 * <pre>{@code
 * error = (let in + a quarter of those that wait - what could be done) / came
 * what could be done = done / the share of permits that were in use
 * share = share + KI * error + KP * (error - error before)
 * }</pre>
 *
 * <p>The integral term makes the error go away, the proportional one damps. Everything is relative to the calls that
 * came, so the same gains hold for 10 and 10 000 calls a second, and for twice or ten times the capacity: with an exact
 * share the error is 0 at each of them, and a share that is too high or too low by some amount makes an error of about
 * that amount. Those that wait are in it so that a backlog is worked off and not kept. After "PID Controller for
 * Cinnamon" (Uber, 2023), whose error has the same three parts.
 *
 * <p>Not thread-safe: one thread at a time runs a period.
 */
final class ShedControl {
    private static final double KI = 0.35;
    private static final double KP = 0.25;
    private static final double BACKLOG = 0.25;

    /** With so many calls in a period the gains are halved: few calls say little. */
    private static final double FEW_CALLS = 100;

    private static final double MIN_WEIGHT = 0.1;

    /** Not all: the few that are let in tell when others can be. */
    private static final double MAX_SHARE = 0.99;

    /** What could be done is at most this many times what was. */
    private static final double MAX_GROWTH = 4;

    private double share;
    private double errorBefore;
    private boolean begun;

    double share() {
        return share;
    }

    void reset() {
        share = 0;
        errorBefore = 0;
        begun = false;
    }

    /**
     * Computes the share for the next period.
     *
     * @param came how many calls came in the period
     * @param letIn how many of them were let in
     * @param done how many calls were done in it
     * @param waiting how many waited, in the mean
     * @param used the share of permits in use, in the mean, from 0 to 1
     */
    void update(double came, double letIn, double done, double waiting, double used) {
        double couldBeDone = done / Math.max(used, 1 / MAX_GROWTH);
        double error = (letIn + BACKLOG * waiting - couldBeDone) / Math.max(came, 1);
        if (done == 0 && used < 0.5) {
            error = -1; // nothing is in the way
        }
        error = Math.max(-1, Math.min(error, 1));
        double weight = Math.max(MIN_WEIGHT, came / (came + FEW_CALLS));
        double change = weight * (KI * error + (begun ? KP * (error - errorBefore) : 0));
        share = Math.max(0, Math.min(share + change, MAX_SHARE));
        errorBefore = error;
        begun = true;
    }
}
