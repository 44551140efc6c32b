package dev.levee.loadbalancing.discovery;

import static java.time.Duration.ofMillis;
import static java.time.Duration.ofSeconds;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.levee.core.Environment;
import dev.levee.core.NanoClock;
import dev.levee.loadbalancing.LoadBalancer;
import dev.levee.loadbalancing.discovery.DnsMessage.DnsRecord;
import dev.levee.loadbalancing.discovery.LoopbackDns.Answer;
import dev.levee.loadbalancing.strategy.BalancingStrategy;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The client against a real server on loopback, honest and hostile. */
class DnsClientTest {
    private static final String NAME = "catalog.internal";

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
    private DnsClient client(boolean patient, InetSocketAddress... servers) {
        NanoClock clock = Environment.system().clock();
        return new DnsClient(List.of(servers), 2, patient ? 30_000_000_000L : 50_000_000L, clock, new Random());
    }

    private static long deadline() {
        return Environment.system().clock().nanoTime() + 60_000_000_000L;
    }

    private List<String> ask(int type) throws IOException {
        return texts(client(true, server.address()).ask(NAME, type, deadline()));
    }

    private static List<String> texts(DnsMessage message) {
        return message.answers().stream()
                .map(DnsRecord::address)
                .map(address -> address == null ? "-" : address.getHostAddress())
                .toList();
    }

    private void fails(String why) {
        assertThatThrownBy(() -> client(true, server.address()).ask(NAME, DnsMessage.A, deadline()))
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
            assertThat(ask(DnsMessage.A)).containsExactly("10.0.0.1", "2001:db8:0:0:0:0:0:6");
        }

        @Test
        void the_whole_way_from_source_to_balancer() throws IOException {
            server.byUdp = question -> List.of(
                    Answer.to(question).a(100, 10, 0, 0, 1).a(100, 10, 0, 0, 2).bytes());
            try (LoadBalancer<InetSocketAddress> balancer = LoadBalancer.of(
                    "nodes",
                    BalancingStrategy.roundRobin(),
                    EndpointSource.dns(
                            "catalog.internal",
                            8080,
                            DnsConfig.builder()
                                    .servers(server.address())
                                    .timeout(ofSeconds(30))
                                    .build(),
                            Environment.system()))) {
                assertThat(balancer.snapshot())
                        .extracting(state -> state.endpoint().id())
                        .containsExactly("10.0.0.1:8080", "10.0.0.2:8080");
            }
        }

        @Test
        void a_service_with_compressed_names_and_additional_records() {
            byte[] one = {0, 5, 0, 7, 0x1F, (byte) 0x90, 3, 'O', 'n', 'E', (byte) 0xC0, 12}; // one.<question>
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(12), DnsMessage.SRV, 60, one)
                    .additional(
                            Answer.pointer(question.length + 2 + 10 + 6), DnsMessage.A, 60, new byte[] {10, 0, 0, 1})
                    .bytes());
            Told<InetSocketAddress> told = new Told<>();
            EndpointSource.srv(
                            "_http._tcp.x",
                            DnsConfig.builder()
                                    .servers(server.address())
                                    .timeout(ofSeconds(30))
                                    .build(),
                            Environment.system())
                    .subscribe(told)
                    .close();
            assertThat(told.lines()).containsExactly("10.0.0.1:8080*7.0/5{host=one._http._tcp.x}");
            assertThat(server.udpQuestions).hasValue(1);
        }

        @Test
        void no_such_name_and_no_such_records_are_answers() throws IOException {
            server.byUdp = question -> List.of(Answer.to(question).code(3).bytes());
            assertThat(client(true, server.address())
                            .ask(NAME, DnsMessage.A, deadline())
                            .code())
                    .isEqualTo(DnsMessage.NO_SUCH_NAME);
            server.byUdp = question -> List.of(Answer.to(question).bytes());
            assertThat(ask(DnsMessage.A)).isEmpty();
        }

        @Test
        void ids_ports_and_the_case_of_letters_differ_from_question_to_question() throws IOException {
            server.byUdp = question -> List.of(Answer.to(question).bytes());
            for (int i = 0; i < 30; i++) {
                ask(DnsMessage.A);
            }
            assertThat(server.questions.stream()
                            .map(it -> it[0] << 8 | (it[1] & 0xFF))
                            .distinct()
                            .count())
                    .isGreaterThan(25);
            assertThat(new HashSet<>(server.ports).size()).isGreaterThan(20);
            assertThat(server.questions.stream()
                            .map(it -> Arrays.hashCode(Arrays.copyOfRange(it, 12, it.length)))
                            .distinct()
                            .count())
                    .isGreaterThan(20);
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
            assertThat(ask(DnsMessage.A)).hasSize(1000);
        }

        @Test
        void a_server_that_changes_the_case_is_asked_again_by_TCP() throws IOException {
            server.byUdp = question ->
                    List.of(Answer.to(lower(question)).a(10, 10, 0, 0, 1).bytes());
            server.byTcp =
                    question -> Answer.to(lower(question)).a(10, 10, 0, 0, 2).bytes();
            for (int i = 0; i < 5; i++) { // one question in 2^15 has no capital letter
                if (server.tcpQuestions.get() == 0) {
                    assertThat(ask(DnsMessage.A)).hasSize(1);
                }
            }
            assertThat(server.tcpQuestions).hasPositiveValue();
        }

        private byte[] lower(byte[] question) {
            byte[] lower = question.clone();
            for (int i = 13; i < lower.length - 5; i++) {
                lower[i] = (byte)
                        String.valueOf((char) lower[i]).toLowerCase(Locale.ROOT).charAt(0);
            }
            return lower;
        }

        @Test
        void the_next_server_is_asked_when_one_fails() throws IOException {
            try (LoopbackDns other = new LoopbackDns()) {
                other.byUdp = question ->
                        List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
                for (int code : new int[] {1, 2, 4, 5}) {
                    server.byUdp =
                            question -> List.of(Answer.to(question).code(code).bytes());
                    assertThat(texts(client(true, server.address(), other.address())
                                    .ask(NAME, DnsMessage.A, deadline())))
                            .containsExactly("10.0.0.1");
                }
                server.byUdp = question -> List.of(); // silence
                assertThat(texts(
                                client(false, server.address(), other.address()).ask(NAME, DnsMessage.A, deadline())))
                        .containsExactly("10.0.0.1");
                server.byUdp =
                        question -> List.of(Answer.to(question).flags(0x8000).bytes()); // a referral
                assertThat(texts(client(true, server.address(), other.address()).ask(NAME, DnsMessage.A, deadline())))
                        .containsExactly("10.0.0.1");
            }
        }

        @Test
        void a_server_that_is_not_there_is_passed_over() throws IOException {
            LoopbackDns gone = new LoopbackDns();
            gone.close();
            server.byUdp =
                    question -> List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
            assertThat(texts(client(false, gone.address(), server.address()).ask(NAME, DnsMessage.A, deadline())))
                    .containsExactly("10.0.0.1");
        }
    }

    @Nested
    class Hostile {

        @Test
        void silence_ends_after_two_rounds() {
            assertThatThrownBy(() -> client(false, server.address()).ask(NAME, DnsMessage.A, deadline()))
                    .isInstanceOf(IOException.class);
            assertThat(server.udpQuestions).hasValue(2);
        }

        @Test
        void after_the_deadline_nobody_is_asked() {
            assertThatThrownBy(() -> client(true, server.address())
                            .ask(
                                    NAME,
                                    DnsMessage.A,
                                    Environment.system().clock().nanoTime() - 1))
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
            assertThat(ask(DnsMessage.A)).containsExactly("10.0.0.1");
        }

        @Test
        void what_comes_from_elsewhere_is_dropped() throws IOException {
            server.spoofed = question -> Answer.to(question).a(10, 6, 6, 6, 6).bytes();
            server.byUdp =
                    question -> List.of(Answer.to(question).a(10, 10, 0, 0, 1).bytes());
            for (int i = 0; i < 10; i++) {
                assertThat(ask(DnsMessage.A)).containsExactly("10.0.0.1");
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
            fails("points to itself or further on");
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(question.length + 4), 1, 10, new byte[4])
                    .bytes());
            fails("points to itself or further on");
            // The data of the first record is a name that points to a pointer behind it, which points back.
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(12), DnsMessage.CNAME, 10, Answer.pointer(question.length + 14))
                    .record(Answer.pointer(question.length + 12), 1, 10, new byte[4])
                    .bytes());
            fails("points to itself or further on");
        }

        @Test
        void records_that_are_longer_or_shorter_than_they_say() {
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(12), 1, 10, new byte[5])
                    .bytes());
            fails("an address has 5 bytes");
            server.byUdp = question -> {
                byte[] whole = Answer.to(question).a(10, 10, 0, 0, 1).bytes();
                return List.of(Arrays.copyOf(whole, whole.length - 1));
            };
            fails("longer than the message");
            server.byUdp = question -> {
                byte[] many = Answer.to(question).a(10, 10, 0, 0, 1).bytes();
                many[6] = (byte) 0xFF;
                return List.of(many);
            };
            fails("ends in the midst of a record");
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(Answer.pointer(12), DnsMessage.CNAME, 10, new byte[] {1, 'a', 0, 0})
                    .bytes());
            fails("not as long as it says");
            server.byUdp = question -> List.of(Answer.to(question)
                    .record(new byte[] {(byte) 0x80, 0}, 1, 10, new byte[4])
                    .bytes());
            fails("a label of an unknown kind");
        }

        @Test
        void a_time_to_live_with_its_first_bit_set_is_none() throws IOException {
            server.byUdp = question -> List.of(Answer.to(question)
                    .a(Integer.MIN_VALUE, 10, 0, 0, 1)
                    .a(-1, 10, 0, 0, 2)
                    .bytes());
            assertThat(client(true, server.address())
                            .ask(NAME, DnsMessage.A, deadline())
                            .answers())
                    .allMatch(it -> it.ttlSeconds() == 0);
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
            assertThat(ask(DnsMessage.A)).containsExactly("10.0.0.1");
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
        void nobody_behind_the_port_of_TCP() throws IOException {
            DnsClient impatient = client(false, server.address());
            server.byUdp = question -> {
                try {
                    server.close();
                } catch (IOException impossible) {
                    throw new AssertionError(impossible);
                }
                return List.of();
            };
            assertThatThrownBy(() -> impatient.ask(NAME, DnsMessage.A, deadline()))
                    .isInstanceOf(IOException.class);
        }
    }

    /** Any bytes behind a question that matches: read or refused, and it comes to an end. */
    @Property(tries = 2_000)
    void garbage_is_read_or_refused(@ForAll byte[] garbage, @ForAll int counts) {
        byte[] question = DnsMessage.question(NAME, DnsMessage.SRV, new Random(1));
        ByteBuffer answer = ByteBuffer.allocate(question.length + garbage.length)
                .put(question)
                .put(garbage)
                .flip();
        answer.putShort(2, (short) 0x8180).putShort(6, (short) (counts & 7)).putShort(8, (short) (counts >> 3 & 3));
        answer.putShort(10, (short) (counts >> 5 & 3));
        readOrRefuse(question, answer);
    }

    /** An honest answer with some bytes changed. */
    @Property(tries = 2_000)
    void a_bent_answer_is_read_or_refused(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] question = DnsMessage.question(NAME, DnsMessage.SRV, random);
        byte[] target = new byte[6 + 5];
        System.arraycopy(new byte[] {3, 'o', 'n', 'e', 0}, 0, target, 6, 5);
        byte[] bytes = Answer.to(question)
                .a(10, 10, 0, 0, 1)
                .record(Answer.pointer(12), DnsMessage.SRV, 10, target)
                .record(Answer.pointer(question.length + 16), DnsMessage.CNAME, 10, Answer.pointer(12))
                .additional(Answer.name("one.two"), 28, 10, new byte[16])
                .bytes();
        for (int i = random.nextInt(4); i >= 0; i--) {
            int at = question.length + random.nextInt(bytes.length - question.length);
            bytes[at] = (byte) (random.nextBoolean() ? random.nextInt() : 0xC0);
        }
        int length = random.nextInt(4) == 0
                ? question.length + random.nextInt(bytes.length - question.length)
                : bytes.length;
        readOrRefuse(question, ByteBuffer.wrap(bytes, 0, length));
    }

    private static void readOrRefuse(byte[] question, ByteBuffer answer) {
        assertThat(DnsMessage.match(question, answer)).isEqualTo(DnsMessage.Match.SAME);
        List<String> names = new ArrayList<>();
        try {
            DnsMessage message = DnsMessage.read(question, answer);
            message.answers().forEach(record -> names.add(record.name()));
            message.additional().forEach(record -> names.add(record.name()));
        } catch (IOException refused) {
            assertThat(refused).hasMessageContaining("cannot be read");
        }
        assertThat(names).allMatch(name -> name.length() <= 255 * 4);
    }

    @Test
    void a_source_lives_through_a_server_that_goes_mad() {
        // The same in one: good, then every kind of nonsense, and what was good stays.
        server.byUdp = question -> List.of(Answer.to(question).a(0, 10, 0, 0, 1).bytes());
        dev.levee.core.testing.ManualTime time = new dev.levee.core.testing.ManualTime();
        Told<InetSocketAddress> told = new Told<>();
        DnsConfig config = DnsConfig.builder()
                .servers(server.address())
                .timeout(ofMillis(20))
                .build();
        DnsClient client = client(false, server.address());
        EndpointSource.Subscription subscription = DnsSource.addresses(
                        NAME,
                        80,
                        config,
                        time.environment(),
                        () -> new DnsLookup.Resolver(
                                DnsSettings.of(config.servers()),
                                (name, type, never) -> client.ask(name, type, deadline())),
                        name -> List.of())
                .subscribe(told);
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
        assertThat(told.lines()).containsExactly("10.0.0.1:80", "10.0.0.2:80");
    }
}
