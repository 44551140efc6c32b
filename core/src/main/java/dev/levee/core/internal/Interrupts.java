package dev.levee.core.internal;

/**
 * The rule for a wait that was interrupted: an operation that declares {@link InterruptedException} gets it, any other operation
 * gets the interrupt flag of its thread and an unchecked exception that the caller of this class makes.
 */
public final class Interrupts {
    private Interrupts() {}

    /**
     * Throws the interrupt if it is declared; otherwise sets the interrupt flag of the current thread and returns.
     *
     * @param declared whether the operation declares {@link InterruptedException}
     * @param interrupt the interrupt
     */
    public static void throwOrFlag(boolean declared, InterruptedException interrupt) {
        if (declared) {
            throw Unchecked.<RuntimeException>asDeclared(interrupt);
        }
        Thread.currentThread().interrupt();
    }
}
