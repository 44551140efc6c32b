package dev.levee.jdbc.routing;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** A thread leaves the scope on every path, at the end of its stack too. */
class ReadScopeTest {
    private final ReadScope scope = new ReadScope();
    private int tries = 400;
    private int overflows;
    private int leaks;

    @Test
    void a_thread_whose_stack_ends_is_not_left_in_the_scope() throws Exception {
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
            scope.call(this::endless);
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
