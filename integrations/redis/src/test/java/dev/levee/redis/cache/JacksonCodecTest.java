package dev.levee.redis.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.levee.cache.Codec;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class JacksonCodecTest {
    record User(String name, int age) {}

    @JsonTypeInfo(use = JsonTypeInfo.Id.CLASS)
    interface Shape {}

    record Circle(int radius) implements Shape {}

    record Square(int side) implements Shape {}

    record Hidden(int bomb) implements Shape {
        static boolean loaded;

        static {
            JacksonCodecTest.initialized = true;
        }
    }

    record Holder(@JsonTypeInfo(use = JsonTypeInfo.Id.CLASS) Object any) {}

    static boolean initialized;

    private static byte[] utf8(String json) {
        return json.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void a_record_comes_back() {
        Codec<User> codec = JacksonCodec.of(User.class);
        assertThat(codec.decode(codec.encode(new User("Ann", 7)))).isEqualTo(new User("Ann", 7));
    }

    @Test
    void a_type_with_arguments_comes_back() {
        Codec<List<User>> codec = JacksonCodec.of(new TypeReference<List<User>>() {});
        assertThat(codec.decode(codec.encode(List.of(new User("Ann", 7))))).containsExactly(new User("Ann", 7));
        assertThat(codec).hasToString("JSON of java.util.List<" + User.class.getName() + ">");
    }

    @Test
    void only_listed_subtypes_are_read() {
        Codec<Shape> codec = JacksonCodec.of(Shape.class, Circle.class);
        assertThat(codec.decode(codec.encode(new Circle(3)))).isEqualTo(new Circle(3));
        byte[] square = JacksonCodec.of(Shape.class, Square.class).encode(new Square(2));
        assertThatThrownBy(() -> codec.decode(square)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_class_that_is_not_listed_is_not_even_loaded() {
        Codec<Shape> codec = JacksonCodec.of(Shape.class, Circle.class);
        byte[] hidden = utf8("{\"@class\":\"" + JacksonCodecTest.class.getName() + "$Hidden\",\"bomb\":1}");
        assertThatThrownBy(() -> codec.decode(hidden)).isInstanceOf(IllegalArgumentException.class);
        assertThat(initialized).isFalse();
        byte[] gadget = utf8("{\"@class\":\"javax.swing.JEditorPane\",\"page\":\"http://localhost\"}");
        assertThatThrownBy(() -> codec.decode(gadget)).isInstanceOf(IllegalArgumentException.class);
        byte[] any = utf8("{\"any\":{\"@class\":\"java.util.HashMap\"}}");
        Codec<Holder> holder = JacksonCodec.of(Holder.class);
        assertThatThrownBy(() -> holder.decode(any)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void without_a_list_no_class_can_be_named() {
        Codec<Shape> codec = JacksonCodec.of(Shape.class);
        byte[] circle = JacksonCodec.of(Shape.class, Circle.class).encode(new Circle(1));
        assertThatThrownBy(() -> codec.decode(circle)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @SuppressWarnings("deprecation")
    void a_mapper_with_default_typing_is_refused() {
        ObjectMapper mapper =
                new ObjectMapper().activateDefaultTyping(new ObjectMapper().getPolymorphicTypeValidator());
        assertThatThrownBy(() -> JacksonCodec.of(mapper, User.class))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("default typing");
        assertThat(JacksonCodec.of(new ObjectMapper(), User.class).encode(new User("A", 1)))
                .isEqualTo(utf8("{\"name\":\"A\",\"age\":1}"));
    }

    @Test
    void json_that_is_not_the_value_alone_is_refused() {
        Codec<User> codec = JacksonCodec.of(User.class);
        String more = "{\"name\":\"A\",\"more\":1}";
        for (String bad : List.of("", "null", "[]", "{", "{\"name\":1}{}", "{\"name\":\"A\",\"age\":1} x", more)) {
            assertThatThrownBy(() -> codec.decode(utf8(bad))).as(bad).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void json_that_is_nested_too_deeply_is_refused() {
        Codec<Object> codec = JacksonCodec.of(Object.class);
        String fine = "[".repeat(100) + "]".repeat(100);
        String deep = "[".repeat(101) + "]".repeat(101);
        assertThat(codec.decode(utf8(fine))).isInstanceOf(List.class);
        assertThatThrownBy(() -> codec.decode(utf8(deep))).isInstanceOf(IllegalArgumentException.class);
    }
}
