#pragma once
/// The folder with a local stack's state: $XDG_STATE_HOME/spillway/<name> (XDG Base Directory Specification;
/// ~/.local/state if that is not set). Folders have mode 0700 and files 0600, since they contain keys.
///
/// Ownership: a Folder is a path; a Lock holds the lock until it is destroyed. Thread rule: for one thread.
/// Errors: what could not be done, with the path, never with content.
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "app/stack_values.hpp"
#include "base/result.hpp"
#include "config/sources.hpp"

namespace spillway::app::stack {

/// An exclusive flock(2), not inherited by children (O_CLOEXEC).
class Lock {
public:
    explicit Lock(int fd) noexcept : fd_(fd) {}
    Lock(Lock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Lock& operator=(Lock&&) = delete;
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock();

private:
    int fd_;
};

class Folder {
public:
    explicit Folder(std::filesystem::path path) : path_(std::move(path)) {}
    /// The folder of the stack `name`, which may not exist yet. `env` provides XDG_STATE_HOME and HOME.
    [[nodiscard]] static Result<Folder> locate(std::string_view name, const config::EnvLookup& env);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    [[nodiscard]] std::string file(std::string_view name) const { return (path_ / name).string(); }
    [[nodiscard]] bool exists() const;
    Result<void> create() const;
    /// Removes the folder and everything in it.
    Result<void> remove() const;

    /// Waits up to `patience` for another holder; if it has to wait, calls `on_wait` once with the holder's
    /// process id (0: not known).
    [[nodiscard]] Result<Lock> lock(std::chrono::milliseconds patience,
                                    const std::function<void(int)>& on_wait) const;

    /// nullopt if there is no such file.
    [[nodiscard]] Result<std::optional<std::string>> read(std::string_view name) const;
    [[nodiscard]] Result<std::optional<Values>> read_values(std::string_view name) const;
    /// Replaces the file atomically: after a crash there is either the old or the new one.
    Result<void> write(std::string_view name, std::string_view content) const;
    /// No error if it does not exist.
    void erase(std::string_view name) const noexcept;

private:
    std::filesystem::path path_;
};

}  // namespace spillway::app::stack
