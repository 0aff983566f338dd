#include "app/stack_folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

#include "base/clock.hpp"
#include "base/strings.hpp"

namespace spillway::app::stack {
namespace {

constexpr std::string_view lock_name = "lock";

std::string reason() {
    return std::generic_category().message(errno);
}

class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_;
};

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t n = ::write(fd, content.data(), content.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

/// Is the file that `fd` has open still the one at `path`? (A purge removes it while others wait for it.)
bool is_still_at(int fd, const std::string& path) {
    struct stat open {};
    struct stat named {};
    return ::fstat(fd, &open) == 0 && ::stat(path.c_str(), &named) == 0 && open.st_ino == named.st_ino &&
           open.st_dev == named.st_dev;
}

int holder_in(int fd) {
    char text[16] = {};
    const ssize_t n = ::pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? parse_int<int>(trim({text, static_cast<std::size_t>(n)})).value_or(0) : 0;
}

std::optional<std::filesystem::path> home(const config::EnvLookup& env) {
    if (auto set = env("HOME"); set && set->starts_with('/')) return *set;
    passwd entry{};
    passwd* found = nullptr;
    std::string buffer(16384, '\0');
    if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
        return std::filesystem::path(entry.pw_dir);
    return std::nullopt;
}

}  // namespace

Lock::~Lock() {
    if (fd_ >= 0) ::close(fd_);
}

Result<Folder> Folder::locate(std::string_view name, const config::EnvLookup& env) {
    std::filesystem::path base;
    // A relative path is to be ignored, the specification says.
    if (const auto set = env("XDG_STATE_HOME"); set && set->starts_with('/')) {
        base = *set;
    } else {
        const auto at = home(env);
        if (!at) return fail("no folder for the state: neither XDG_STATE_HOME nor HOME is set");
        base = *at / ".local" / "state";
    }
    return Folder(base / "spillway" / name);
}

bool Folder::exists() const {
    std::error_code ec;
    return std::filesystem::is_directory(path_, ec);
}

Result<void> Folder::create() const {
    std::error_code ec;
    // The base folders too are made with 0700, as the specification asks.
    std::filesystem::path made;
    for (const auto& part : path_) {
        made /= part;
        if (std::filesystem::is_directory(made, ec)) continue;
        if (::mkdir(made.c_str(), 0700) != 0 && errno != EEXIST)
            return fail(fmt::format("cannot make the folder {}: {}", made.string(), reason()));
    }
    if (::chmod(path_.c_str(), 0700) != 0)
        return fail(fmt::format("cannot use the folder {}: {}", path_.string(), reason()));
    return {};
}

Result<void> Folder::remove() const {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
    if (ec) return fail(fmt::format("cannot remove {}: {}", path_.string(), ec.message()));
    return {};
}

Result<Lock> Folder::lock(std::chrono::milliseconds patience, const std::function<void(int)>& on_wait) const {
    const std::string path = file(lock_name);
    const Mono until = mono_now() + patience;
    bool told = false;
    for (;;) {
        Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (fd.get() < 0) return fail(fmt::format("cannot open {}: {}", path, reason()));
        while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
            if (errno != EWOULDBLOCK && errno != EINTR)
                return fail(fmt::format("cannot lock {}: {}", path, reason()));
            const int holder = holder_in(fd.get());
            if (!told && on_wait) on_wait(holder);
            told = true;
            if (mono_now() >= until)
                return fail(fmt::format(
                    "another spillway command is still at work on this stack (process {})", holder));
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        if (!is_still_at(fd.get(), path)) {
            if (!exists()) return fail("the stack was removed meanwhile");
            continue;
        }
        if (::ftruncate(fd.get(), 0) != 0 || !write_all(fd.get(), std::to_string(::getpid()) + "\n"))
            return fail(fmt::format("cannot write {}: {}", path, reason()));
        return Lock(fd.release());
    }
}

Result<std::optional<std::string>> Folder::read(std::string_view name) const {
    std::error_code ec;
    const std::string path = file(name);
    if (!std::filesystem::exists(path, ec)) {
        if (ec) return fail(fmt::format("cannot read {}: {}", path, ec.message()));
        return std::optional<std::string>();
    }
    auto content = config::read_whole_file(path);
    if (!content) return fail(fmt::format("cannot read {}: {}", path, content.error().message));
    return std::optional(std::move(*content));
}

Result<std::optional<Values>> Folder::read_values(std::string_view name) const {
    auto content = read(name);
    if (!content) return content.error();
    if (!*content) return std::optional<Values>();
    auto values = parse_values(**content);
    if (!values) return fail(fmt::format("{}: {}", file(name), values.error().message));
    return std::optional(std::move(*values));
}

Result<void> Folder::write(std::string_view name, std::string_view content) const {
    const std::string path = file(name);
    const std::string fresh = path + ".new";
    ::unlink(fresh.c_str());
    const Descriptor fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (fd.get() < 0 || !write_all(fd.get(), content) || ::fsync(fd.get()) != 0 ||
        ::rename(fresh.c_str(), path.c_str()) != 0)
        return fail(fmt::format("cannot write {}: {}", path, reason()));
    return {};
}

void Folder::erase(std::string_view name) const noexcept {
    std::error_code ec;
    std::filesystem::remove(path_ / name, ec);
}

}  // namespace spillway::app::stack
