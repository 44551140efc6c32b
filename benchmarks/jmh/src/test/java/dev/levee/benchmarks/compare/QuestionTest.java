package dev.levee.benchmarks.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class QuestionTest {
    @Test
    void has_an_id_and_a_class_of_its_own() {
        assertThat(Question.values()).extracting(question -> question.id).doesNotHaveDuplicates();
        assertThat(Question.values())
                .extracting(question -> question.benchmark.getName())
                .doesNotHaveDuplicates();
    }

    @ParameterizedTest
    @EnumSource
    void is_answered_by_a_floor_or_by_levee_and_peers(Question question) {
        if (question.id.startsWith("floor.")) {
            assertThat(question.subjects()).containsExactly("floor");
        } else {
            assertThat(question.subjects())
                    .contains("levee")
                    .hasSizeGreaterThan(1)
                    .doesNotContain("floor");
        }
    }

    @Test
    void names_a_subject_after_its_method() {
        assertThat(Question.subject("bucket4jLockfree")).isEqualTo("bucket4j-lockfree");
        assertThat(Question.subject("concurrencyLimits")).isEqualTo("concurrency-limits");
        assertThat(Question.subject("resilience4j")).isEqualTo("resilience4j");
    }

    @Test
    void brings_what_its_targets_are_measured_against() {
        assertThat(Target.withBases(EnumSet.of(Question.LIMITER_REJECT, Question.PIPELINE_MEGAMORPHIC)))
                .containsExactlyInAnyOrder(
                        Question.LIMITER_REJECT,
                        Question.FLOOR_NANOTIME,
                        Question.PIPELINE_MEGAMORPHIC,
                        Question.PIPELINE_OF_FOUR);
    }
}
