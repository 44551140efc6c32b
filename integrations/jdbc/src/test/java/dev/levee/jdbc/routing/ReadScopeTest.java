package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Operation;
import org.junit.jupiter.api.Test;

/** A thread leaves the scope on every path, at the end of its stack too. */
class ReadScopeTest {
    private final ReadScope scope = new ReadScope();
    /** Made here: at the end of a stack there is no room for what the first use of a lambda does. */
    private final Operation<Integer, RuntimeException> endless = this::endless;

    private int tries = 400;
    private int overflows;
    private int leaks;

    @Test
    void a_thread_whose_stack_ends_is_not_left_in_the_scope() throws Exception {
        assertThat(scope.<Boolean, RuntimeException>call(scope::isOpen)).isTrue(); // loads what a call needs
        Thread deep = new Thread(null, this::dive, "deep", 1024 * 1024);
        deep.start();
        deep.join();
        assertThat(overflows).isEqualTo(400);
        assertThat(leaks).isZero();
    }

    /** Goes down to the end of the stack, and on the way back enters the scope in ever more room. */
    @SuppressWarnings("InfiniteRecursion")
    private void dive() {
        try {
            dive();
        } catch (StackOverflowError end) {
            // back
        }
        if (tries > 0) {
            try {
                enter();
            } catch (StackOverflowError tooDeep) {
                return; // not even room to look
            }
        }
    }

    private void enter() {
        boolean before = scope.isOpen();
        try {
            scope.call(endless);
        } catch (StackOverflowError end) {
            overflows++;
            tries--;
        }
        if (!before && scope.isOpen()) {
            leaks++;
        }
    }

    @SuppressWarnings("InfiniteRecursion")
    private int endless() {
        return endless() + 1;
    }
}
