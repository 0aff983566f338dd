#include "api/media.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace spillway::api {
namespace {

constexpr std::uint32_t most_tiles = 8;  // 768 x 2048
constexpr std::uint32_t most_patches = 1536;
/// 24 kHz of 16 bits, as used by audio models; 32 kbit/s, a low rate of MP3 and the like.
constexpr std::uint32_t wav_bytes_per_second = 48'000;
constexpr std::uint32_t packed_bytes_per_second = 4'000;
/// A page of a PDF with its fonts and a figure here and there.
constexpr std::size_t bytes_per_page = 64 * 1024;
constexpr std::size_t text_bytes_per_page = 4 * 1024;
/// A file that is only named: as many pages as a short paper has.
constexpr std::uint32_t pages_of_a_named_file = 4;
/// How far into a JPEG its size is looked for: behind a preview and colour profiles.
constexpr std::size_t farthest = 192 * 1024;

constexpr std::array<std::int8_t, 256> digits = [] {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    std::int8_t value = 0;
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
        table[static_cast<unsigned char>(c)] = value++;
    return table;
}();

/// Reads bytes out of base64, one after another.
class Base64Reader {
public:
    explicit Base64Reader(std::string_view text) noexcept : text_(text.substr(0, farthest)) {}

    /// -1 at the end.
    int byte() noexcept {
        while (bits_ < 8) {
            if (text_.empty()) return -1;
            const char c = text_.front();
            text_.remove_prefix(1);
            if (c == '\\') continue;  // "\/"
            const int digit = digits[static_cast<unsigned char>(c)];
            if (digit < 0) return -1;
            held_ = (held_ << 6U | static_cast<unsigned>(digit)) & 0xffffU;
            bits_ += 6;
        }
        bits_ -= 8;
        return static_cast<int>((held_ >> bits_) & 0xffU);
    }
    /// The next `count` bytes as a number, high byte first or last; nothing at the end.
    std::optional<std::uint32_t> big(int count) noexcept {
        std::uint32_t value = 0;
        for (int i = 0; i < count; ++i) {
            const int next = byte();
            if (next < 0) return std::nullopt;
            value = value << 8U | static_cast<std::uint32_t>(next);
        }
        return value;
    }
    std::optional<std::uint32_t> little(int count) noexcept {
        std::uint32_t value = 0;
        for (int i = 0; i < count; ++i) {
            const int next = byte();
            if (next < 0) return std::nullopt;
            value |= static_cast<std::uint32_t>(next) << static_cast<unsigned>(8 * i);
        }
        return value;
    }
    bool skip(std::size_t count) noexcept {
        while (count-- > 0)
            if (byte() < 0) return false;
        return true;
    }

private:
    std::string_view text_;
    unsigned held_ = 0;
    unsigned bits_ = 0;
};

std::optional<PictureSize> sized(std::optional<std::uint32_t> width,
                                 std::optional<std::uint32_t> height) noexcept {
    if (!width || !height || *width == 0 || *height == 0) return std::nullopt;
    return PictureSize{*width, *height};
}

/// Behind the marker of a JPEG's begin (ITU T.81, annex B): segments until the frame's header.
std::optional<PictureSize> jpeg_size(Base64Reader& in) noexcept {
    for (;;) {
        int marker = in.byte();
        if (marker != 0xff) return std::nullopt;
        while (marker == 0xff) marker = in.byte();
        if (marker < 0xc0) return std::nullopt;
        const auto length = in.big(2);
        if (!length || *length < 2) return std::nullopt;
        const bool frame = marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
        if (!frame) {
            if (!in.skip(*length - 2)) return std::nullopt;
            continue;
        }
        if (!in.skip(1)) return std::nullopt;
        const auto height = in.big(2);
        return sized(in.big(2), height);
    }
}

/// Behind "RIFF", the length and "WEBP" (RFC 9649).
std::optional<PictureSize> webp_size(Base64Reader& in) noexcept {
    const auto kind = in.big(4);
    if (!kind || !in.skip(4)) return std::nullopt;
    if (*kind == 0x56503858U) {  // "VP8X"
        if (!in.skip(4)) return std::nullopt;
        const auto width = in.little(3);
        const auto height = in.little(3);
        if (!width || !height) return std::nullopt;
        return PictureSize{*width + 1, *height + 1};
    }
    if (*kind == 0x5650384cU) {  // "VP8L"
        if (!in.skip(1)) return std::nullopt;
        const auto bits = in.little(4);
        if (!bits) return std::nullopt;
        return PictureSize{(*bits & 0x3fffU) + 1, (*bits >> 14U & 0x3fffU) + 1};
    }
    if (*kind != 0x56503820U || !in.skip(6)) return std::nullopt;  // "VP8 "
    const auto width = in.little(2);
    const auto height = in.little(2);
    if (!width || !height) return std::nullopt;
    return sized(*width & 0x3fffU, *height & 0x3fffU);
}

/// What follows a data URL's comma; all of it if it is none. A link has no data.
std::string_view data_of(std::string_view url) noexcept {
    if (!url.starts_with("data:")) return {};
    const std::size_t comma = url.substr(0, 256).find(',');
    return comma == std::string_view::npos ? std::string_view() : url.substr(comma + 1);
}

constexpr std::uint32_t narrow(std::uint64_t n) noexcept {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(n, std::numeric_limits<std::uint32_t>::max()));
}

std::uint32_t ceil_div(std::uint64_t n, std::uint64_t by) noexcept {
    return narrow((n + by - 1) / by);
}

std::size_t bytes_of(std::string_view base64) noexcept {
    return base64.size() / 4 * 3;
}

Media picture(std::string_view base64, std::string_view detail) noexcept {
    const auto size = picture_size(base64);
    Media m;
    m.pictures = 1;
    m.tiles = detail == "low" ? 0 : size ? tiles_of(*size) : most_tiles;
    m.patches = size ? patches_of(*size) : most_patches;
    return m;
}

std::uint32_t audio_ms(std::string_view base64, std::string_view format) noexcept {
    std::uint64_t rate =
        format == "wav" || format == "pcm16" ? wav_bytes_per_second : packed_bytes_per_second;
    Base64Reader in(base64);
    if (in.big(4) == 0x52494646U && in.skip(24)) {  // "RIFF": its own word for bytes a second
        const auto told = in.little(4);
        if (told) rate = std::clamp<std::uint64_t>(*told, 4'000, 1'536'000);
    }
    return narrow(std::uint64_t{bytes_of(base64)} * 1000 / rate);
}

}  // namespace

Media& Media::operator+=(const Media& more) noexcept {
    if (more.empty()) return *this;
    const auto add = [](std::uint32_t& sum, std::uint32_t n) { sum = narrow(std::uint64_t{sum} + n); };
    add(pictures, more.pictures);
    add(tiles, more.tiles);
    add(patches, more.patches);
    add(audio_ms, more.audio_ms);
    add(pages, more.pages);
    return *this;
}

std::optional<PictureSize> picture_size(std::string_view base64) noexcept {
    Base64Reader in(base64);
    const auto begin = in.big(2);
    if (!begin) return std::nullopt;
    if (*begin == 0xffd8U) return jpeg_size(in);
    const auto rest = in.big(2);
    if (!rest) return std::nullopt;
    if (*begin == 0x8950U && *rest == 0x4e47U) {  // PNG: signature, then the header chunk
        if (!in.skip(12)) return std::nullopt;
        const auto width = in.big(4);
        return sized(width, in.big(4));
    }
    if (*begin == 0x4749U && *rest == 0x4638U) {  // GIF8
        if (!in.skip(2)) return std::nullopt;
        const auto width = in.little(2);
        return sized(width, in.little(2));
    }
    if (*begin == 0x5249U && *rest == 0x4646U) {  // RIFF
        if (!in.skip(4) || in.big(4) != 0x57454250U) return std::nullopt;
        return webp_size(in);
    }
    return std::nullopt;
}

std::uint32_t tiles_of(PictureSize size) noexcept {
    double width = size.width;
    double height = size.height;
    const auto shrink = [&](double by) {
        if (by >= 1) return;
        width *= by;
        height *= by;
    };
    shrink(2048 / std::max(width, height));
    shrink(768 / std::min(width, height));
    // A hair less than whole, so that 768 x 1024 is not three tiles high by rounding.
    const auto across = [](double side) { return static_cast<std::uint32_t>((side - 1e-6) / 512) + 1; };
    return across(width) * across(height);
}

std::uint32_t patches_of(PictureSize size) noexcept {
    return narrow(std::min<std::uint64_t>(std::uint64_t{ceil_div(size.width, 32)} * ceil_div(size.height, 32),
                                          most_patches));
}

Media MediaPart::measure() const noexcept {
    Media m;
    if (!image_url.empty()) m += picture(data_of(image_url), detail);
    if (!image_data.empty()) m += picture(image_data, detail);
    if (!audio_data.empty()) m.audio_ms = api::audio_ms(audio_data, audio_format);
    if (!file_data.empty()) {
        const std::string_view data = data_of(file_data);
        const bool text =
            file_data.starts_with("data:text/") || file_data.starts_with("data:application/json");
        m.pages =
            ceil_div(bytes_of(data.empty() ? file_data : data), text ? text_bytes_per_page : bytes_per_page);
    } else if (!file_id.empty() || !file_url.empty()) {
        const bool is_picture = type == "input_image" || type == "image_file";
        if (is_picture)
            m += picture({}, detail);
        else
            m.pages = pages_of_a_named_file;
    }
    return m;
}

}  // namespace spillway::api
