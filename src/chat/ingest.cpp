#include "chat/ingest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "base/task.hpp"
#include "base/timer.hpp"
#include "base/utf8.hpp"
#include "chat/chunks.hpp"
#include "chat/ids.hpp"
#include "chat/pdf.hpp"
#include "chat/text_file.hpp"

namespace spillway::chat {
namespace {

constexpr std::size_t batch = 32;  // texts of one embeddings request
constexpr Duration longest_wait = std::chrono::seconds(60);
constexpr int most_waits = 5;

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> endings) {
    return std::ranges::any_of(endings, [&](std::string_view e) {
        return name.size() > e.size() && iequals(name.substr(name.size() - e.size()), e);
    });
}

std::int64_t millis(Duration d) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

FileError file_error(std::string_view code, std::string message) {
    return {code, std::move(message)};
}

/// Files that would pass for text, or end as "the encoding is not known", though they are something else.
bool is_other_format(std::string_view bytes) {
    static constexpr std::array<std::string_view, 8> begins = {
        std::string_view("PK\x03\x04"),                        // zip: docx, xlsx, pptx, hwpx
        std::string_view("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),  // OLE: doc, xls, ppt, hwp
        std::string_view("\x89PNG"),
        std::string_view("\xFF\xD8\xFF"),
        std::string_view("GIF8"),
        std::string_view("{\\rtf"),
        std::string_view("\x1F\x8B"),
        std::string_view("RIFF")};
    if (std::ranges::any_of(begins, [&](std::string_view b) { return bytes.starts_with(b); })) return true;
    const std::string_view text = trim(bytes.substr(0, 1024));
    return istarts_with(text, "<!doctype html") || istarts_with(text, "<html");
}

/// Takes a PDF's pages until there are more than can be kept, their time is over, or their sender has left.
class Pages final : public PageSink {
public:
    Pages(FileText& out, const UploadLimits& limits, const std::atomic<bool>* stop)
        : out_(out), limits_(limits), stop_(stop) {}
    bool on_page(std::string page) override {
        chunks_ += cut_chunks({&page, 1}).size();
        out_.pages.push_back(std::move(page));
        return chunks_ <= limits_.chunks;
    }
    [[nodiscard]] bool is_over() const override { return is_stopped() || is_late(); }
    [[nodiscard]] std::optional<FileError> fault() const {
        if (is_stopped()) return file_error("stopped", "nobody waits for the file");
        if (chunks_ > limits_.chunks) return file_error("too_much_text", "the file has too much text");
        if (is_late()) return file_error("too_slow", "reading the file takes too long");
        return std::nullopt;
    }

private:
    [[nodiscard]] bool is_stopped() const { return stop_ != nullptr && *stop_; }
    [[nodiscard]] bool is_late() const { return mono_now() > end_; }

    FileText& out_;
    const UploadLimits& limits_;
    const std::atomic<bool>* stop_;
    const Mono end_ = mono_now() + limits_.reading;
    std::size_t chunks_ = 0;
};

boost::system::result<void, FileError> read_pages(std::string_view name, std::string_view bytes,
                                                  const UploadLimits& limits, const std::atomic<bool>* stop,
                                                  FileText& out) {
    if (looks_like_pdf(bytes)) {
        Pages pages(out, limits, stop);
        const auto read = limits.read_pdf(bytes, limits.pages, pages);
        if (auto fault = pages.fault()) return *fault;
        if (!read) {
            const bool locked = read.error().message.find("locked") != std::string::npos;
            return file_error(locked ? "encrypted" : "unreadable", read.error().message);
        }
        out.paged = true;
        out.type = "application/pdf";
        return {};
    }
    if (ends_with_any(name, {".pdf"})) return file_error("not_pdf", "the file is not a PDF");
    if (is_other_format(bytes))
        return file_error("unsupported", "only PDF, Markdown and plain text files are taken");
    auto text = decode_text(bytes);
    if (!text)
        return file_error(text.error().message == not_text ? "not_text" : "encoding", text.error().message);
    out.type = ends_with_any(name, {".md", ".markdown"}) ? "text/markdown" : "text/plain";
    out.pages.push_back(std::move(*text));
    return {};
}

}  // namespace

std::string clean_name(std::string_view name) {
    if (const auto slash = name.find_last_of("/\\"); slash != std::string_view::npos)
        name.remove_prefix(slash + 1);
    std::string out;
    while (!name.empty()) {
        const CodePoint c = front_code_point(name);
        const bool bad = c.value < 0x20 || c.value == 0x7F || c.value == 0xFFFD ||
                         (c.value >= 0x202A && c.value <= 0x202E);  // no reversed text
        if (c.value == '[')
            out += '(';
        else if (c.value == ']')
            out += ')';
        else if (!bad)
            out.append(name.substr(0, c.bytes));
        name.remove_prefix(c.bytes);
    }
    return std::string(first_characters(trim(out), 120));
}

void throw_exception_from_error(const FileError& e, const boost::source_location& /*where*/) {
    throw std::runtime_error(e.message);
}

boost::system::result<FileText, FileError> read_file(std::string_view name, std::string_view bytes,
                                                     const UploadLimits& limits,
                                                     const std::atomic<bool>* stop) {
    FileText out;
    if (auto read = read_pages(name, bytes, limits, stop, out); !read) return read.error();
    const std::vector<Chunk> chunks = cut_chunks(out.pages);
    if (chunks.empty())
        return out.paged ? file_error("no_text", "the PDF has no text (a scan, perhaps)")
                         : file_error("empty", "the file is empty");
    if (chunks.size() > limits.chunks) return file_error("too_much_text", "the file has too much text");
    for (const Chunk& c : chunks) {
        StoredChunk stored;
        stored.page = out.paged ? static_cast<std::int64_t>(c.page + 1) : 0;
        stored.line = static_cast<std::int64_t>(c.line);
        stored.text = out.pages[c.page].substr(c.offset, c.length);
        out.chunks.push_back(std::move(stored));
    }
    return out;
}

void write_document(JsonWriter& out, const Document& d) {
    out.open().field("id", d.id).field("name", d.name).field("type", d.type).field("bytes", d.bytes);
    out.field("pages", d.pages).field("chunks", d.chunks).field("embedding_model", d.embedding_model);
    out.field("created", d.created).close();
}

Ingest::Ingest(http::Exchange& exchange, Model& model, StoreThread& store, ThreadPool& readers,
               const UploadLimits& limits)
    : exchange_(exchange), model_(model), store_(store), readers_(readers), limits_(limits) {}

Task<void> Ingest::progress(std::string_view stage, std::size_t done, std::size_t total, Duration wait) {
    JsonWriter w;
    w.open().field("type", "progress").field("stage", stage).field("done", done).field("total", total);
    w.field("wait_ms", millis(wait)).close();
    const std::string text = w.take() + '\n';
    co_await exchange_.write(text);
}

Task<void> Ingest::error(std::string_view message, std::string_view code) {
    JsonWriter w;
    w.open().field("type", "error").field("message", message).field("code", code).close();
    const std::string text = w.take() + "\n{\"type\":\"end\"}\n";
    co_await exchange_.finish(text);
}

Task<std::string> Ingest::embed(std::vector<StoredChunk>& chunks) {
    if (!model_.has_embeddings()) co_return std::string("no embedding deployment is set");
    int waits = 0;
    for (std::size_t begin = 0; begin < chunks.size();) {
        co_await progress("embedding", begin, chunks.size());
        const std::size_t count = std::min(batch, chunks.size() - begin);
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < count; ++i) texts.push_back(chunks[begin + i].text);
        auto vectors = co_await model_.embed(texts, cancel_);
        if (vectors) {
            for (std::size_t i = 0; i < count; ++i) chunks[begin + i].vector = std::move((*vectors)[i]);
            begin += count;
            continue;
        }
        const ModelError& e = vectors.error();
        const Duration wait = e.retry_after.value_or(std::chrono::seconds(2));
        const bool worth_it = e.kind == ModelError::Kind::rate_limited && wait <= longest_wait &&
                              ++waits <= most_waits && !cancel_.requested();
        if (!worth_it) {
            for (StoredChunk& c : chunks) c.vector.clear();
            co_return e.message;
        }
        co_await progress("waiting", begin, chunks.size(), wait);
        Timer timer(exchange_.loop());
        (void)co_await timer.sleep_for(wait);
        if (cancel_.requested()) co_return std::string("stopped");
    }
    co_return std::string();
}

Task<void> Ingest::run(std::string session, std::string conversation, std::string name) {
    exchange_.on_gone([this] {
        *left_ = true;
        cancel_.request();
    });
    co_await add(std::move(session), std::move(conversation), std::move(name));
    exchange_.on_gone({});
}

Task<void> Ingest::add(std::string session, std::string conversation, std::string name) {
    exchange_.start(200,
                    "content-type: application/x-ndjson\r\ncache-control: no-store\r\n"
                    "x-content-type-options: nosniff\r\nx-accel-buffering: no\r\n",
                    std::nullopt);
    co_await progress("reading", 0, 1);
    const std::string_view bytes = exchange_.body();
    auto file =
        co_await run_on(readers_, [&, left = left_] { return read_file(name, bytes, limits_, left.get()); });
    if (!file) {
        co_await error(file.error().message, file.error().code);
        co_return;
    }
    const std::string trouble = co_await embed(file->chunks);
    if (cancel_.requested()) co_return;

    Document document;
    document.id = new_id();
    document.name = std::move(name);
    document.type = file->type;
    document.bytes = static_cast<std::int64_t>(bytes.size());
    document.pages = file->paged ? static_cast<std::int64_t>(file->pages.size()) : 0;
    document.chunks = static_cast<std::int64_t>(file->chunks.size());
    document.embedding_model = trouble.empty() ? model_.settings().embedding_model : std::string();
    document.created = millis(wall_now().time_since_epoch());
    auto added = co_await store_([&](Store& s) {
        return s.add_document(session, conversation, document, bytes, file->pages, file->chunks);
    });
    if (!added) {
        co_await error(added.error().message, "internal_error");
        co_return;
    }
    JsonWriter w;
    w.open().field("type", "document").key("document");
    write_document(w, document);
    w.field("trouble", trouble).close();
    const std::string text = w.take() + "\n{\"type\":\"end\"}\n";
    co_await exchange_.finish(text);
}

}  // namespace spillway::chat
