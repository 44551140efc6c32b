package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WorkloadTest {
    private static final List<String> URLS = List.of("http://example.com/1", "http://example.com/2?a=b");

    private final Workload workload = Workload.of(URLS, TimeUnit.SECONDS.toNanos(30), TimeUnit.SECONDS.toNanos(10));

    @Test
    void it_is_the_same_every_time() {
        assertThat(Workload.of(URLS, TimeUnit.SECONDS.toNanos(30), TimeUnit.SECONDS.toNanos(10)))
                .isEqualTo(workload);
    }

    @Test
    void requests_come_in_the_order_in_which_they_are_due() {
        assertThat(workload.requests()).extracting(Request::atNanos).isSorted();
    }

    @Test
    void more_than_a_fifth_of_the_redirects_are_cold() {
        assertThat(count(Kind.COLD)).isGreaterThan((count(Kind.COLD) + count(Kind.POPULAR)) / 5);
    }

    @Test
    void a_cold_link_is_stored_and_asked_for_once() {
        List<String> cold = workload.requests().stream()
                .filter(request -> request.kind() == Kind.COLD)
                .map(Request::url)
                .toList();

        assertThat(cold).doesNotHaveDuplicates();
        assertThat(workload.stored()).containsAll(cold).containsAll(URLS).hasSize(cold.size() + URLS.size());
    }

    @Test
    void who_shortens_brings_a_new_url() {
        assertThat(workload.requests().stream()
                        .filter(request -> request.kind() == Kind.SHORTEN)
                        .map(Request::url))
                .isNotEmpty()
                .doesNotHaveDuplicates()
                .doesNotContainAnyElementsOf(workload.stored());
    }

    private long count(Kind kind) {
        return workload.requests().stream()
                .filter(request -> request.kind() == kind)
                .count();
    }
}
