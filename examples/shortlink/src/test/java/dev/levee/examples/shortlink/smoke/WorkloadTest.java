package dev.levee.examples.shortlink.smoke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.levee.examples.shortlink.smoke.Request.Kind;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WorkloadTest {
    private static final List<String> URLS = List.of("http://example.com/1", "http://example.com/2?a=b");

    private final Workload workload =
            Workload.of(URLS, Workload.RATE, TimeUnit.SECONDS.toNanos(30), 0, TimeUnit.SECONDS.toNanos(10));

    @Test
    void it_is_the_same_every_time() {
        assertThat(Workload.of(URLS, Workload.RATE, TimeUnit.SECONDS.toNanos(30), 0, TimeUnit.SECONDS.toNanos(10)))
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

    @Test
    void every_second_new_url_comes_with_a_key_and_once_again_with_the_same_one() {
        List<Request> keyed = of(Kind.SHORTEN).stream()
                .filter(request -> !request.key().isEmpty())
                .toList();
        List<Request> repeats = of(Kind.REPEAT);

        assertThat((double) keyed.size() / count(Kind.SHORTEN)).isBetween(0.3, 0.7);
        assertThat(keyed).extracting(Request::key).doesNotHaveDuplicates();
        assertThat(repeats).hasSizeBetween(keyed.size() * 9 / 10, keyed.size());
        assertThat(repeats)
                .allSatisfy(repeat -> assertThat(keyed).anySatisfy(first -> {
                    assertThat(first.key()).isEqualTo(repeat.key());
                    assertThat(first.url()).isEqualTo(repeat.url());
                    assertThat(first.atNanos()).isLessThan(repeat.atNanos());
                }));
    }

    @Test
    void the_end_can_come_once_again_with_other_links() {
        long again = TimeUnit.SECONDS.toNanos(4);
        long end = TimeUnit.SECONDS.toNanos(30);
        Workload twice = Workload.of(URLS, Workload.RATE, end, again, TimeUnit.SECONDS.toNanos(10));

        List<Request> first = between(twice, end - again, end);
        List<Request> second = between(twice, end, end + again);
        assertThat(second).hasSameSizeAs(first).hasSizeGreaterThan(700);
        for (int i = 0; i < first.size(); i++) {
            assertThat(second.get(i).atNanos()).isEqualTo(first.get(i).atNanos() + again);
            assertThat(second.get(i).kind()).isEqualTo(first.get(i).kind());
        }
        assertThat(twice.requests()).extracting(Request::atNanos).isSorted();
        assertThat(between(twice, 0, end).stream().filter(it -> it.kind() != Kind.REPEAT))
                .containsExactlyElementsOf(workload.requests().stream()
                        .filter(it -> it.kind() != Kind.REPEAT)
                        .toList());
    }

    @Test
    void clients_are_shared_out_to_tenants() {
        assertThat(workload.requests())
                .extracting(Request::tenant)
                .containsOnly("tenant-0", "tenant-1", "tenant-2", "tenant-3");
        assertThat(workload.requests().stream()
                        .filter(it -> it.kind() != Kind.GUESS)
                        .filter(it -> it.tenant().equals("tenant-0"))
                        .count())
                .isBetween(30L * Workload.RATE / 5, 30L * Workload.RATE / 3);
    }

    private static List<Request> between(Workload load, long from, long to) {
        return load.requests().stream()
                .filter(it -> it.kind() != Kind.REPEAT && it.atNanos() >= from && it.atNanos() < to)
                .toList();
    }

    private List<Request> of(Kind kind) {
        return workload.requests().stream()
                .filter(request -> request.kind() == kind)
                .toList();
    }

    private long count(Kind kind) {
        return workload.requests().stream()
                .filter(request -> request.kind() == kind)
                .count();
    }
}
