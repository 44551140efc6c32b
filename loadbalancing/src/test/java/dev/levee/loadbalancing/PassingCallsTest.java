package dev.levee.loadbalancing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.core.Verdict;
import org.junit.jupiter.api.Test;

/** How many calls may go past a gate. */
class PassingCallsTest {
    private final PassingCalls calls = new PassingCalls();

    private int room() {
        int room = 0;
        while (calls.tryEnter()) {
            room++;
        }
        for (int i = 0; i < room; i++) {
            calls.ended(Verdict.IGNORED);
        }
        return room;
    }

    private void end(Verdict verdict) {
        assertThat(calls.tryEnter()).isTrue();
        calls.ended(verdict);
    }

    @Test
    void a_success_allows_one_more_and_a_failure_an_eighth_less_down_to_one() {
        assertThat(room()).isEqualTo(PassingCalls.FIRST_LIMIT);
        for (int i = 0; i < 90; i++) {
            end(Verdict.SUCCESS);
        }
        assertThat(room()).isEqualTo(PassingCalls.FIRST_LIMIT + 90);
        end(Verdict.FAILURE);
        assertThat(room()).isEqualTo(88);
        for (int i = 0; i < 100; i++) {
            end(Verdict.FAILURE);
        }
        assertThat(room()).isEqualTo(1);
        end(Verdict.SUCCESS);
        assertThat(room()).isEqualTo(2);
    }
}
