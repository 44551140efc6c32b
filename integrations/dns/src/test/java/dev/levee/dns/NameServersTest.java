package dev.levee.dns;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofMinutes;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.core.testing.ManualTime;
import dev.levee.dns.LoopbackDns.Answer;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.EndpointSource;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.DClass;
import org.xbill.DNS.Message;
import org.xbill.DNS.Rcode;
import org.xbill.DNS.Record;
import org.xbill.DNS.Section;
import org.xbill.DNS.Type;

/** Queries to a real server on loopback, honest and hostile. */
class NameServersTest {
    private static final String NAME = "catalog.internal";
    private static final NanoClock CLOCK = Environment.system().clock();

    private LoopbackDns server;

    @BeforeEach
    void start() throws IOException {
        server = new LoopbackDns();
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    /** Waits long for what comes, and short for what does not. */
    private static NameServers client(boolean patient, InetSocketAddress... servers) {
        return client(patient ? ofSeconds(30) : ofMillis(50), new ServerHistory(CLOCK), servers);
    }

    private static NameServers client(Duration timeout, ServerHistory history, InetSocketAddress... servers) {
        ResolverSettings settings = new ResolverSettings(List.of(servers), List.of(), 0, 2);
        return new NameServers(settings, timeout.toNanos(), history, new DnsTransport(CLOCK), CLOCK);
    }

    private static Message send(NameServers client, int type) throws IOException {
        return client.send(query(type), CLOCK.nanoTime() + ofMinutes(1).toNanos());
    }

    private static Message query(int type) {
        return Message.newQuery(Record.newRecord(DnsNames.absolute(NAME), type, DClass.IN));
    }

    private List<String> ask(int type) throws IOException {
        return texts(send(client(true, server.address()), type));
    }

    private static List<String> texts(Message message) {
        return message.getSection(Section.ANSWER).stream()
                .map(record -> record instanceof ARecord four
                        ? four.getAddress().getHostAddress()
                        : record instanceof AAAARecord six
                                ? six.getAddress().getHostAddress()
                                : Type.string(record.getType()))
                .toList();
    }

    private void fails(String why) {
        assertThatThrownBy(() -> send(client(true, server.address()), Type.A))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(why);
    }

    @Nested
    class Honest {

        @Test
        void addresses_of_both_kinds() throws IOException {
            server.byUdp = question -> List.of(Answer.to(question)
                    .a(10, 10, 0, 0, 1)
                    .a(10, 0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6)
                    .bytes());
            assertThat(ask(Type.A)).containsExactly("10.0.0.1", "2001:db8:0:0:0:0:0:6");
        }

        @Test
        void the_whole_way_from_source_to_balancer() throws IOException {
            server.byUdp = question -> List.of(
                    Answer.to(question).a(100, 10, 0, 0, 1).a(100, 10, 0, 0, 2).bytes());
            try (LoadBalancer<InetSocketAddress> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    DnsEndpoints.of(
                            NAME,
                            8080,
                            config -> config.servers(server.address()).timeout(ofSeconds(30))))) {
                assertThat(balancer.snapshot())
                        .extracting(state -> state.endpoint().id())
                        .containsExactly("10.0.0.1:8080", "10.0.0.2:8080");
            }
        }

        @Test
        void a_service_with_compressed_names_and_additional_records() {
            byte[] one = {0, 5, 0, 7, 0x1F, (byte) 0x90, 3, 'O', 'n', 'E', (byte) 0xC0, 12}; // one.<question>
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(12), Type.SRV, 60, one)
                    .additional(Answer.pointer(question.length + 2 + 10 + 6), Type.A, 60, new byte[] {10, 0, 0, 1})
                    .bytes());
            Published<InetSocketAddress> published = new Published<>();
            DnsEndpoints.srv(
                            "_http._tcp.x",
                            config -> config.servers(server.address()).timeout(ofSeconds(30)))
                    .subscribe(published)
                    .close();
            assertThat(published.lines()).containsExactly("10.0.0.1:8080*7.0/5{host=one._http._tcp.x}");
            assertThat(server.udpQuestions).hasValue(1);
        }

        @Test
        void no_such_name_and_no_such_records_are_answers() throws IOException {
            server.byUdp = question -> List.of(Answer.to(question).code(3).bytes());
            assertThat(send(client(true, server.address()), Type.A).getRcode()).isEqualTo(Rcode.NXDOMAIN);
            server.byUdp = question -> List.of(Answer.to(question).bytes());
            assertThat(ask(Type.A)).isEmpty();
        }

        @Test
        void ids_and_ports_differ_from_question_to_question_and_the_case_of_letters_does_not() throws IOException {
            server.byUdp = question -> List.of(Answer.to(question).bytes());
            for (int i = 0; i < 30; i++) {
                ask(Type.A);
            }
            assertThat(server.questions.stream()
                            .map(it -> it[0] << 8 | (it[1] & 0xFF))
                            .distinct()
                            .count())
                    .isGreaterThan(25);
            List<Integer> ids = server.questions.stream()
                    .map(it -> (it[0] & 0xFF) << 8 | (it[1] & 0xFF))
                    .toList();
            assertThat(IntStream.range(1, ids.size())
                            .map(i -> ids.get(i) - ids.get(i - 1))
                            .distinct()
                            .count())
                    .as("steps from one id to the next: they must not be a sequence")
                    .isGreaterThan(20);
            assertThat(new HashSet<>(server.ports).size()).isGreaterThan(20);
            assertThat(server.questions.stream()
                            .map(it -> Arrays.hashCode(Arrays.copyOfRange(it, 12, it.length)))
                            .distinct()
                            .count())
                    .isEqualTo(1);
        }

        @Test
        void what_is_cut_off_is_asked_again_by_TCP() throws IOException {
            server.byUdp = question ->
                    List.of(Answer.to(question).a(10, 10, 0, 0, 1).truncated().bytes());
            server.byTcp = question -> {
                Answer answer = Answer.to(question);
                IntStream.range(0, 1000).forEach(i -> answer.a(10, 10, 1, i >> 8, i & 0xFF));
                return answer.bytes();
            };
            assertThat(ask(Type.A)).hasSize(1000);
        }

        @Test
        void a_server_that_changes_the_case_is_understood() throws IOException {
            for (int difference : new int[] {0, 0x20}) {
                server.byUdp = question -> List.of(Answer.to(folded(question, difference))
                        .a(10, 10, 0, 0, 1)
                        .bytes());
                assertThat(ask(Type.A)).containsExactly("10.0.0.1");
            }
            assertThat(server.udpQuestions).hasValue(2);
            assertThat(server.tcpQuestions).hasValue(0);
        }

        @Test
        void a_server_that_refuses_upper_case_is_asked_in_lower_case() {
            server.byUdp = question -> List.of(
                    Arrays.equals(question, folded(question, 0))
                            ? Answer.to(question).a(10, 10, 0, 0, 1).bytes()
                            : Answer.to(question).code(3).bytes());
            Published<InetSocketAddress> published = new Published<>();
            DnsEndpoints.of("Catalog.INTERNAL", 80, config -> config.servers(server.address()))
                    .subscribe(published)
                    .close();
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
        }

        /** The question with its letters in lower case, or in upper case if there is a difference. */
        private byte[] folded(byte[] question, int difference) {
            byte[] folded = question.clone();
            for (int i = 13; i < folded.length - 5; i++) {
                int lower = folded[i] | 0x20;
                if (lower >= 'a' && lower <= 'z') {
                    folded[i] = (byte) (lower - difference);
                }
            }
            return folded;
        }

        @Test
        void the_next_server_is_asked_when_one_fails() throws IOException {
            try (LoopbackDns other = new LoopbackDns()) {
                other.byUdp = question ->
                        List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
                for (int code : new int[] {1, 2, 4, 5}) {
                    server.byUdp =
                            question -> List.of(Answer.to(question).code(code).bytes());
                    assertThat(texts(send(client(true, server.address(), other.address()), Type.A)))
                            .containsExactly("10.0.0.1");
                }
                server.byUdp = question -> List.of(); // silence
                assertThat(texts(send(client(false, server.address(), other.address()), Type.A)))
                        .containsExactly("10.0.0.1");
                server.byUdp =
                        question -> List.of(Answer.to(question).flags(0x8000).bytes()); // a referral
                assertThat(texts(send(client(true, server.address(), other.address()), Type.A)))
                        .containsExactly("10.0.0.1");
            }
        }

        @Test
        void a_server_that_is_not_there_is_passed_over() throws IOException {
            LoopbackDns gone = new LoopbackDns();
            gone.close();
            server.byUdp =
                    question -> List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
            assertThat(texts(send(client(false, gone.address(), server.address()), Type.A)))
                    .containsExactly("10.0.0.1");
        }
    }

    @Nested
    class Edns {

        @Test
        void is_in_the_first_query() throws IOException {
            server.byUdp =
                    question -> List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
            assertThat(ask(Type.A)).hasSize(1);
            assertThat(server.extended).isTrue();
        }

        @Test
        void lets_more_than_512_bytes_through_without_TCP() throws IOException {
            server.byUdp = question -> {
                Answer answer = Answer.to(question);
                IntStream.range(0, 70).forEach(i -> answer.a(10, 10, 1, 0, i));
                return List.of(answer.bytes());
            };
            assertThat(ask(Type.A)).hasSize(70);
            assertThat(server.tcpQuestions).hasValue(0);
        }

        @Test
        void a_server_that_refuses_it_is_queried_without_and_that_is_remembered() throws IOException {
            for (int code : new int[] {1, 4}) {
                NameServers client = client(true, server.address());
                server.byUdp = question -> List.of(
                        server.extended
                                ? Answer.to(question).code(code).bytes()
                                : Answer.to(question).a(10, 10, 0, 0, 1).bytes());
                int before = server.udpQuestions.get();
                assertThat(texts(send(client, Type.A))).containsExactly("10.0.0.1");
                assertThat(texts(send(client, Type.A))).containsExactly("10.0.0.1");
                assertThat(server.udpQuestions.get() - before).isEqualTo(3);
            }
        }

        @Test
        void a_server_that_refuses_it_by_a_header_alone_is_queried_without_at_once() throws IOException {
            try (LoopbackDns second = new LoopbackDns()) {
                second.byUdp = question ->
                        List.of(Answer.to(question).a(10, 10, 0, 0, 2).bytes());
                for (int code : new int[] {1, 4}) {
                    server.byUdp = question -> List.of(
                            server.extended
                                    ? headerAlone(question, code)
                                    : Answer.to(question).a(10, 10, 0, 0, 1).bytes());
                    int before = server.udpQuestions.get();
                    NameServers client = client(true, server.address(), second.address());
                    assertThat(texts(send(client, Type.A))).containsExactly("10.0.0.1");
                    assertThat(server.udpQuestions.get() - before).isEqualTo(2);
                }
            }
        }

        @Test
        void a_header_alone_that_says_anything_else_is_no_answer() throws IOException {
            for (int code : new int[] {0, 2, 3, 5}) {
                server.byUdp = question -> List.of(
                        headerAlone(question, code),
                        Answer.to(question).a(10, 10, 0, 0, 1).bytes());
                assertThat(ask(Type.A)).containsExactly("10.0.0.1");
            }
        }

        private byte[] headerAlone(byte[] question, int code) {
            byte[] header = Arrays.copyOf(Answer.to(question).code(code).bytes(), 12);
            header[5] = 0; // no question
            return header;
        }

        @Test
        void a_machine_that_asks_once_has_a_second_attempt_without_it() throws IOException {
            server.byUdp = question -> server.extended
                    ? List.of()
                    : List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
            ResolverSettings once = new ResolverSettings(List.of(server.address()), List.of(), 0, 1);
            NameServers client = new NameServers(
                    once, ofMillis(50).toNanos(), new ServerHistory(CLOCK), new DnsTransport(CLOCK), CLOCK);
            assertThat(texts(send(client, Type.A))).containsExactly("10.0.0.1");
        }

        @Test
        void a_server_that_is_silent_or_fails_with_it_is_queried_without_in_the_second_attempt() throws IOException {
            server.byUdp = question -> server.extended
                    ? List.of()
                    : List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
            assertThat(texts(send(client(false, server.address()), Type.A))).containsExactly("10.0.0.1");
            server.byUdp = question -> List.of(
                    server.extended
                            ? Answer.to(question).code(2).bytes()
                            : Answer.to(question).a(10, 10, 0, 0, 2).bytes());
            assertThat(texts(send(client(true, server.address()), Type.A))).containsExactly("10.0.0.2");
        }
    }

    @Nested
    class A_server_that_is_down {

        @Test
        void delays_the_first_query_and_no_other() throws IOException {
            try (LoopbackDns other = new LoopbackDns()) {
                other.byUdp = question ->
                        List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
                NameServers client = client(false, server.address(), other.address());
                for (int i = 0; i < 20; i++) {
                    assertThat(texts(send(client, Type.A))).containsExactly("10.0.0.1");
                }
                assertThat(server.udpQuestions).hasValue(1);
                assertThat(other.udpQuestions).hasValue(20);
            }
        }

        @Test
        void is_queried_first_again_after_a_while_which_grows() {
            ManualTime time = new ManualTime();
            ServerHistory history = new ServerHistory(time.environment().clock());
            InetSocketAddress first = new InetSocketAddress("10.0.0.1", 53);
            InetSocketAddress second = new InetSocketAddress("10.0.0.2", 53);
            List<InetSocketAddress> servers = List.of(first, second);
            for (int seconds : new int[] {30, 60, 120, 240, 300, 300}) {
                history.wasSilent(first);
                history.wasSilent(first); // of another query at the same time
                time.advance(ofSeconds(seconds).minusNanos(1));
                assertThat(history.inOrder(servers)).containsExactly(second, first);
                time.advance(Duration.ofNanos(1));
                assertThat(history.inOrder(servers)).containsExactly(first, second);
            }
            history.answered(first);
            history.wasSilent(first);
            time.advance(ofSeconds(30));
            assertThat(history.inOrder(servers)).containsExactly(first, second);
        }

        @Test
        void does_not_keep_a_source_from_its_answer() throws IOException {
            try (LoopbackDns other = new LoopbackDns()) {
                ManualTime time = new ManualTime();
                ServerHistory history = new ServerHistory(CLOCK);
                NameServers client = client(ofMillis(50), history, server.address(), other.address());
                Published<InetSocketAddress> published = new Published<>();
                // Six names to try with two families: with 50 ms for each of them the time for the look-up would not
                // do.
                ResolverSettings settings = new ResolverSettings(List.of(), List.of("a", "b", "c", "d", "e"), 5, 2);
                other.byUdp = question -> List.of(
                        question.length == 12 + NAME.length() + 2 + 4
                                ? Answer.to(question).a(0, 10, 0, 0, 1).bytes()
                                : Answer.to(question).code(3).bytes());
                long end = CLOCK.nanoTime() + ofSeconds(30).toNanos();
                DnsSource.addresses(
                                NAME,
                                80,
                                DnsConfig.builder().build(),
                                time.environment(),
                                () -> new NameService(settings, (query, never) -> client.send(query, end)),
                                name -> List.of())
                        .subscribe(published)
                        .close();
                assertThat(published.lines()).containsExactly("10.0.0.1:80");
                assertThat(server.udpQuestions).hasValue(1);
            }
        }
    }

    @Nested
    class The_machine_resolves_it {

        /** The first suffix of the search list has a server that answers SERVFAIL to every question. */
        @Test
        void a_suffix_that_answers_SERVFAIL() {
            server.byUdp = question -> List.of(
                    question.length > 12 + NAME.length() + 2 + 4
                            ? Answer.to(question).code(2).bytes()
                            : Answer.to(question).a(100, 10, 0, 0, 1).bytes());
            Published<InetSocketAddress> published = new Published<>();
            ResolverSettings settings =
                    new ResolverSettings(List.of(server.address()), List.of("broken.internal"), 5, 2);
            NameServers client = client(true, server.address());
            DnsSource.addresses(
                            NAME,
                            80,
                            DnsConfig.builder().build(),
                            Environment.system(),
                            () -> new NameService(settings, client),
                            name -> List.of())
                    .subscribe(published)
                    .close();
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
        }

        @Test
        void a_family_for_which_there_is_no_such_name_or_no_record() {
            for (int code : new int[] {0, 3}) {
                server.byUdp = question -> List.of(
                        question[question.length - 3] == Type.A
                                ? Answer.to(question).code(code).bytes()
                                : Answer.to(question)
                                        .a(100, 0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6)
                                        .bytes());
                Published<InetSocketAddress> published = new Published<>();
                DnsEndpoints.of(NAME, 80, config -> config.servers(server.address()))
                        .subscribe(published)
                        .close();
                assertThat(published.lines()).containsExactly("[2001:db8::6]:80");
            }
        }

        @Test
        void and_no_thread_is_started_and_no_timer_left() {
            server.byUdp =
                    question -> List.of(Answer.to(question).a(100, 10, 0, 0, 1).bytes());
            ManualTime time = new ManualTime();
            DnsEndpoints.of(NAME, 80, config -> config.servers(server.address()), time.environment())
                    .subscribe(endpoints -> {})
                    .close();
            assertThat(server.udpQuestions).hasValue(1);
            assertThat(time.pendingTimers()).isZero();
            assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.contains("dnsjava"));
        }

        @Test
        void an_answer_that_fits_TCP_only() {
            server.byUdp = question -> List.of(Answer.to(question).truncated().bytes());
            server.byTcp = question -> Answer.to(question).a(100, 10, 0, 0, 1).bytes();
            Published<InetSocketAddress> published = new Published<>();
            DnsEndpoints.of(NAME, 80, config -> config.servers(server.address()))
                    .subscribe(published)
                    .close();
            assertThat(published.lines()).containsExactly("10.0.0.1:80");
        }
    }

    @Nested
    class Hostile {

        @Test
        void silence_ends_after_two_rounds() {
            assertThatThrownBy(() -> send(client(false, server.address()), Type.A))
                    .isInstanceOf(IOException.class);
            assertThat(server.udpQuestions).hasValue(2);
        }

        @Test
        void after_the_deadline_no_server_is_queried() {
            assertThatThrownBy(() -> client(true, server.address()).send(query(Type.A), CLOCK.nanoTime() - 1))
                    .hasMessageContaining("no time is left");
            assertThat(server.udpQuestions).hasValue(0);
        }

        @Test
        void a_wrong_id_another_question_and_a_question_are_passed_over() throws IOException {
            server.byUdp = question -> {
                byte[] otherId = Answer.to(question).a(10, 6, 6, 6, 6).bytes();
                otherId[0] ^= 1;
                byte[] halfId = Answer.to(question).a(10, 6, 6, 6, 6).bytes();
                halfId[1] ^= 1;
                byte[] otherName = Answer.to(question).a(10, 6, 6, 6, 6).bytes();
                otherName[14] = '9';
                byte[] otherType = Answer.to(question).a(10, 6, 6, 6, 6).bytes();
                otherType[question.length - 3] = 28;
                byte[] notAnAnswer =
                        Answer.to(question).flags(0x0100).a(10, 6, 6, 6, 6).bytes();
                byte[] update =
                        Answer.to(question).flags(0xA980).a(10, 6, 6, 6, 6).bytes();
                byte[] noQuestion = Answer.to(question).a(10, 6, 6, 6, 6).bytes();
                noQuestion[5] = 0;
                return List.of(
                        otherId,
                        halfId,
                        otherName,
                        otherType,
                        notAnAnswer,
                        update,
                        noQuestion,
                        new byte[0],
                        new byte[11],
                        Answer.to(question).a(10, 10, 0, 0, 1).bytes());
            };
            assertThat(ask(Type.A)).containsExactly("10.0.0.1");
        }

        @Test
        void what_comes_from_elsewhere_is_dropped() throws IOException {
            server.spoofed = question -> Answer.to(question).a(10, 6, 6, 6, 6).bytes();
            server.byUdp =
                    question -> List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
            for (int i = 0; i < 10; i++) {
                assertThat(ask(Type.A)).containsExactly("10.0.0.1");
            }
        }

        @Test
        void a_flood_of_wrong_answers_ends_the_try() {
            server.byUdp = question -> {
                byte[] wrong = Answer.to(question).bytes();
                wrong[0] ^= 1;
                return java.util.Collections.nCopies(100, wrong);
            };
            fails("too many answers to other questions");
        }

        @Test
        void names_that_point_in_a_circle_or_forward() {
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(question.length), 1, 10, new byte[4])
                    .bytes());
            fails("cannot be read");
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(question.length + 4), 1, 10, new byte[4])
                    .bytes());
            fails("cannot be read");
            // The data of the first record is a name that points to a pointer behind it, which points back.
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(12), Type.CNAME, 10, Answer.pointer(question.length + 14))
                    .record(Answer.pointer(question.length + 12), 1, 10, new byte[4])
                    .bytes());
            fails("cannot be read");
        }

        @Test
        void records_that_are_longer_or_shorter_than_they_say() {
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(12), 1, 10, new byte[5])
                    .bytes());
            fails("cannot be read");
            server.byUdp = question -> {
                byte[] whole = Answer.to(question).a(10, 10, 0, 0, 1).bytes();
                return List.of(Arrays.copyOf(whole, whole.length - 1));
            };
            fails("cannot be read");
            server.byUdp = question -> {
                byte[] many = Answer.to(question).a(10, 10, 0, 0, 1).bytes();
                many[6] = (byte) 0xFF;
                return List.of(many);
            };
            fails("cannot be read");
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(12), Type.CNAME, 10, new byte[] {1, 'a', 0, 0})
                    .bytes());
            fails("cannot be read");
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(new byte[] {(byte) 0x80, 0}, 1, 10, new byte[4])
                    .bytes());
            fails("cannot be read");
        }

        @Test
        void a_time_to_live_with_its_first_bit_set_is_none() throws IOException {
            server.byUdp = question -> List.of(Answer.to(question)
                    .a(Integer.MIN_VALUE, 10, 0, 0, 1)
                    .a(-1, 10, 0, 0, 2)
                    .bytes());
            assertThat(send(client(true, server.address()), Type.A).getSection(Section.ANSWER))
                    .hasSize(2)
                    .allMatch(it -> RecordLookup.ttlSeconds(it) == 0);
        }

        @Test
        void records_of_another_class_or_kind_are_passed_over() throws IOException {
            server.byUdp = question -> {
                byte[] chaos = Answer.to(question)
                        .a(10, 6, 6, 6, 6)
                        .a(10, 10, 0, 0, 1)
                        .record(Answer.pointer(12), 99, 10, new byte[300])
                        .bytes();
                chaos[question.length + 5] = 3;
                return List.of(chaos);
            };
            RecordLookup lookup = new RecordLookup(
                    client(true, server.address()),
                    CLOCK.nanoTime() + ofMinutes(1).toNanos());
            assertThat(lookup.find(DnsNames.absolute(NAME), Type.A).records())
                    .extracting(record -> ((ARecord) record).getAddress().getHostAddress())
                    .containsExactly("10.0.0.1");
        }

        @Test
        void an_alias_of_another_class_ends_the_look_up() {
            server.byUdp = question -> {
                byte[] chaos = Answer.to(question)
                        .record(Answer.pointer(12), Type.CNAME, 10, Answer.name("elsewhere"))
                        .bytes();
                chaos[question.length + 5] = 3;
                return List.of(chaos);
            };
            Published<InetSocketAddress> published = new Published<>();
            DnsEndpoints.of(NAME, 80, config -> config.servers(server.address()))
                    .subscribe(published)
                    .close();
            assertThat(published.sets).isEmpty();
            assertThat(server.udpQuestions).hasValue(2);
        }

        @Test
        void aliases_without_an_end_are_followed_17_times() {
            server.byUdp = question -> {
                byte[] target = Answer.name("a" + server.udpQuestions.get());
                return List.of(Answer.to(question)
                        .record(Answer.pointer(12), Type.CNAME, 10, target)
                        .bytes());
            };
            RecordLookup lookup = new RecordLookup(
                    client(true, server.address()),
                    CLOCK.nanoTime() + ofMinutes(1).toNanos());
            assertThatThrownBy(() -> lookup.find(DnsNames.absolute(NAME), Type.A))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(NAME);
            assertThat(server.udpQuestions.get()).isLessThanOrEqualTo(17);
        }

        @Test
        void TCP_that_is_closed_cut_short_wrong_or_silent() {
            server.byUdp = question -> List.of(Answer.to(question).truncated().bytes());
            fails("closed the connection");
            server.byTcp = question -> Answer.to(question).truncated().bytes();
            fails("cut off by TCP too");
            server.byTcp = question -> {
                byte[] wrong = Answer.to(question).bytes();
                wrong[0] ^= 1;
                return wrong;
            };
            fails("another question by TCP");
            server.byTcp = question -> new byte[0];
            fails("another question by TCP");
        }

        @Test
        void a_closed_port_of_TCP() throws IOException {
            NameServers impatient = client(false, server.address());
            server.byUdp = question -> {
                try {
                    server.close();
                } catch (IOException impossible) {
                    throw new AssertionError(impossible);
                }
                return List.of();
            };
            assertThatThrownBy(() -> send(impatient, Type.A)).isInstanceOf(IOException.class);
        }
    }

    /** Any bytes behind a question that matches: read or refused, and it comes to an end. */
    @Property(tries = 2_000)
    void garbage_is_read_or_refused(@ForAll byte[] garbage, @ForAll int counts) {
        Message query = query(Type.SRV);
        byte[] question = query.toWire();
        ByteBuffer answer = ByteBuffer.allocate(question.length + garbage.length)
                .put(question)
                .put(garbage)
                .flip();
        answer.putShort(2, (short) 0x8180).putShort(6, (short) (counts & 7)).putShort(8, (short) (counts >> 3 & 3));
        answer.putShort(10, (short) (counts >> 5 & 3));
        readOrRefuse(query, answer.array());
    }

    /** An honest answer with some bytes changed. */
    @Property(tries = 2_000)
    void a_bent_answer_is_read_or_refused(@ForAll long seed) {
        Random random = new Random(seed);
        Message query = query(Type.SRV);
        byte[] question = query.toWire();
        byte[] target = new byte[6 + 5];
        System.arraycopy(new byte[] {3, 'o', 'n', 'e', 0}, 0, target, 6, 5);
        byte[] bytes = Answer.to(question)
                .a(10, 10, 0, 0, 1)
                .record(Answer.pointer(12), Type.SRV, 10, target)
                .record(Answer.pointer(question.length + 16), Type.CNAME, 10, Answer.pointer(12))
                .additional(Answer.name("one.two"), 28, 10, new byte[16])
                .bytes();
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = question.length + random.nextInt(bytes.length - question.length);
            bytes[at] = (byte) (random.nextBoolean() ? random.nextInt() : 0xC0);
        }
        int length = random.nextInt(4) == 0
                ? question.length + random.nextInt(bytes.length - question.length)
                : bytes.length;
        readOrRefuse(query, Arrays.copyOf(bytes, length));
    }

    private static void readOrRefuse(Message query, byte[] answer) {
        assertThat(DnsTransport.answers(query, answer)).isTrue();
        Message message;
        try {
            message = DnsTransport.read(answer);
        } catch (IOException refused) {
            assertThat(refused).hasMessageContaining("cannot be read");
            return;
        }
        RecordLookup lookup = new RecordLookup((asked, deadline) -> message, 0);
        try {
            lookup.find(DnsNames.absolute(NAME), Type.SRV);
        } catch (IOException refused) {
            assertThat(refused).hasMessageNotContaining("null");
        }
    }

    @Test
    void a_source_lives_through_a_server_that_goes_mad() {
        // The same in one: good, then every kind of nonsense, and what was good stays.
        server.byUdp = question -> List.of(Answer.to(question).a(0, 10, 0, 0, 1).bytes());
        ManualTime time = new ManualTime();
        Published<InetSocketAddress> published = new Published<>();
        DnsConfig config = DnsConfig.builder()
                .servers(server.address())
                .timeout(ofMillis(20))
                .build();
        NameServers client = client(false, server.address());
        EndpointSource.Subscription subscription = DnsSource.addresses(
                        NAME,
                        80,
                        config,
                        time.environment(),
                        () -> new NameService(
                                ResolverSettings.of(config.servers()),
                                (query, never) -> client.send(
                                        query, CLOCK.nanoTime() + ofMinutes(1).toNanos())),
                        name -> List.of())
                .subscribe(published);
        Random random = new Random(7);
        server.byUdp = question -> {
            byte[] bytes = Answer.to(question).a(0, 10, 0, 0, 1).bytes();
            switch (random.nextInt(5)) {
                case 0 -> bytes[3] |= 2;
                case 1 -> bytes[question.length] = (byte) random.nextInt();
                case 2 -> bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
                case 3 -> bytes[7] = 0;
                default -> bytes[2] |= 2;
            }
            return List.of(bytes);
        };
        time.advance(ofSeconds(100));
        server.byUdp = question -> List.of(Answer.to(question).a(0, 10, 0, 0, 2).bytes());
        time.advance(ofSeconds(50));
        subscription.close();
        assertThat(published.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
    }
}
