#include "chat/pdf_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/child_process.hpp"
#include "base/file_descriptor.hpp"

namespace spillway::chat {
namespace {

constexpr char kPage = 'p';
constexpr char kError = 'e';
constexpr char kDone = 'd';
constexpr std::size_t kHead = 1 + sizeof(std::uint32_t);
constexpr std::size_t kMostOfPage = std::size_t{64} * 1024 * 1024;
constexpr int kLookMs = 50;
constexpr rlim_t kMostMemory = rlim_t{1024} * 1024 * 1024;
constexpr rlim_t kMostSeconds = 20;
constexpr rlim_t kMostFiles = 32;
const char* const kUnreadable = "the PDF cannot be read";

bool write_whole(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

/// `bytes` as a file that is nowhere but in memory.
FileDescriptor in_memory(std::string_view bytes) {
    FileDescriptor out(::memfd_create("pdf", MFD_CLOEXEC));
    if (!out.is_open() || !write_whole(out.get(), bytes) || ::lseek(out.get(), 0, SEEK_SET) != 0) out.reset();
    return out;
}

/// 0: it cannot be started.
pid_t start(const FileDescriptor& input, const FileDescriptor& output, std::size_t max_pages) {
    SpawnSetup setup;
    posix_spawn_file_actions_adddup2(&setup.actions, input.get(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&setup.actions, output.get(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&setup.actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&setup.actions, STDERR_FILENO + 1);
    setup.unblock_signals();
    posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSIGMASK);
    std::vector<std::string> words{"spillway", kPdfVerb, std::to_string(max_pages)};
    std::vector<std::string> no_key_goes_along;
    pid_t pid = 0;
    const int failed = posix_spawn(&pid, "/proc/self/exe", &setup.actions, &setup.attributes,
                                   pointers_to(words).data(), pointers_to(no_key_goes_along).data());
    return failed == 0 ? pid : 0;
}

/// Takes whole frames off `got`. True: it was the last.
bool read_frames(std::string& got, PageSink& sink, Result<void>& outcome) {
    std::size_t at = 0;
    bool last = false;
    while (!last && got.size() - at >= kHead) {
        std::uint32_t length = 0;
        std::memcpy(&length, got.data() + at + 1, sizeof length);
        const char kind = got[at];
        if (length > kMostOfPage || (kind != kPage && kind != kError && kind != kDone)) return true;
        if (got.size() - at - kHead < length) break;
        std::string text = got.substr(at + kHead, length);
        at += kHead + length;
        last = kind != kPage;
        if (kind == kError) outcome = fail(std::move(text));
        if (kind == kDone) outcome = {};
        if (kind == kPage && !sink.on_page(std::move(text))) {
            outcome = {};
            last = true;
        }
    }
    got.erase(0, at);
    return last;
}

/// The child's sink.
class Frames final : public PageSink {
public:
    bool on_page(std::string page) override { return send(kPage, page); }
    [[nodiscard]] bool is_over() const override { return false; }
    static bool send(char kind, std::string_view text) {
        const auto length = static_cast<std::uint32_t>(text.size());
        std::string frame(1, kind);
        frame.append(reinterpret_cast<const char*>(&length), sizeof length);
        frame.append(text);
        return write_whole(STDOUT_FILENO, frame);
    }
};

void bound(__rlimit_resource what, rlim_t most) {
    const rlimit both{most, most};
    ::setrlimit(what, &both);
}

}  // namespace

Result<void> read_pdf_apart(std::string_view bytes, std::size_t max_pages, PageSink& sink) {
    if (!looks_like_pdf(bytes)) return fail("the file is not a PDF");
    const FileDescriptor input = in_memory(bytes);
    std::array<int, 2> ends{};
    if (!input.is_open() || ::pipe2(ends.data(), O_CLOEXEC) != 0)
        return fail("there is no memory to read the PDF");
    const FileDescriptor from(ends[0]);
    FileDescriptor to(ends[1]);
    const ChildProcess child(start(input, to, max_pages));
    if (child.pid() == 0) return fail("the reader of PDFs cannot be started");
    to.reset();
    Result<void> outcome = fail(kUnreadable);
    std::string got;
    std::array<char, 64 * 1024> part;  // NOLINT(*-member-init): what is read is written first
    for (;;) {
        if (sink.is_over()) return {};
        pollfd p{from.get(), POLLIN, 0};
        const int ready = ::poll(&p, 1, kLookMs);
        if (ready < 0 && errno != EINTR) break;
        if (ready <= 0) continue;
        const ssize_t n = ::read(from.get(), part.data(), part.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        got.append(part.data(), static_cast<std::size_t>(n));
        if (read_frames(got, sink, outcome)) break;
    }
    return outcome;
}

int serve_pdf(std::size_t max_pages) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    ::prctl(PR_SET_DUMPABLE, 0);
    bound(RLIMIT_AS, kMostMemory);
    bound(RLIMIT_CPU, kMostSeconds);
    bound(RLIMIT_NOFILE, kMostFiles);
    bound(RLIMIT_FSIZE, 0);
    bound(RLIMIT_CORE, 0);
    std::string bytes;
    std::array<char, 64 * 1024> part;  // NOLINT(*-member-init): what is read is written first
    for (;;) {
        const ssize_t n = ::read(STDIN_FILENO, part.data(), part.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        bytes.append(part.data(), static_cast<std::size_t>(n));
    }
    Frames sink;
    const auto read = read_pdf(bytes, max_pages, sink);
    const bool told = read ? Frames::send(kDone, {}) : Frames::send(kError, read.error().message);
    return told ? 0 : 1;
}

}  // namespace spillway::chat
