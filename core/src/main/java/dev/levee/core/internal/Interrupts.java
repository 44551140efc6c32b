package dev.levee.core.internal;

/**
 * Applies the rule for a wait that was interrupted: a caller that declares {@link InterruptedException} gets it; for
 * any other caller the interrupt flag of the thread is set again, and the code that waited throws an unchecked
 * exception of its own. See ADR 2.
 */
public final class Interrupts {
    private Interrupts() {}

    /**
     * Throws the interrupt if it is declared; otherwise sets the interrupt flag of the current thread and returns.
     *
     * <pre>{@code
     * Interrupts.throwOrFlag(operation instanceof InterruptibleOperation, interrupt);
     * throw new InterruptedWaitException(kind, name, interrupt);
     * }</pre>
     *
     * @param declared whether the operation declares {@link InterruptedException}, so that its caller expects it
     * @param interrupt the interrupt; thrown although this method does not declare it
     */
    public static void throwOrFlag(boolean declared, InterruptedException interrupt) {
        if (declared) {
            throw Unchecked.<RuntimeException>asDeclared(interrupt);
        }
        Thread.currentThread().interrupt();
    }
}
