using System.Text;
using JepaSharp.Runtime;

namespace JepaSharp.Training.Progress;

/// <summary>A CSV file whose rows carry the step they belong to, in rising order.</summary>
internal static class StepTable
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Starts a new table, which must not exist.</summary>
    public static AppendedFile Create(string path, string header, TimeProvider? clock)
    {
        if (File.Exists(path))
            throw new JepaException($"{path} already exists and is not overwritten. Resume the run, or write to another folder.", isUsage: true);
        return Start(path, header, clock);
    }

    /// <summary>
    /// Opens a table to append to. Rows of steps after <paramref name="step"/>, which will be made again, are cut off, and so is
    /// whatever follows a row that is not whole (the process may have died in the middle of writing).
    /// </summary>
    /// <exception cref="JepaException">The file is not such a table.</exception>
    public static AppendedFile Resume(string path, string header, int stepColumn, long step, TimeProvider? clock)
    {
        if (!File.Exists(path)) return Start(path, header, clock);
        var columns = header.Count(c => c == ',') + 1;
        long keep = 0;
        using (var reader = new LineReader(path))
        {
            if (reader.Next() is not { } first) return Start(path, header, clock);
            if (first != header)
                throw new JepaException(
                    $"{path} begins with \"{Shortened(first)}\"; expected the columns \"{header}\". Move the file away to resume the run "
                        + $"without it.");
            keep = reader.Position;
            while (reader.Next() is { } line)
            {
                var cells = line.Split(',');
                if (cells.Length != columns || !long.TryParse(cells[stepColumn], out var rowStep) || rowStep > step) break;
                keep = reader.Position;
            }
        }

        return new AppendedFile(path, keep, clock);
    }

    /// <summary>Adds one row.</summary>
    public static void AppendRow(AppendedFile file, string row) => file.Append(Utf8.GetBytes(row + "\n"));

    private static AppendedFile Start(string path, string header, TimeProvider? clock)
    {
        var file = new AppendedFile(path, 0, clock);
        AppendRow(file, header);
        file.Flush();
        return file;
    }

    private static string Shortened(string text) => text.Length <= 80 ? text : text[..77] + "...";

    /// <summary>Reads lines that end in a line feed, and knows where each ended.</summary>
    private sealed class LineReader(string path) : IDisposable
    {
        private const int LongestLine = 1 << 16;
        private readonly FileStream _stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        private readonly List<byte> _line = [];

        /// <summary>Byte after the last whole line.</summary>
        public long Position { get; private set; }

        /// <summary>The next whole line, or null where none is left.</summary>
        public string? Next()
        {
            _line.Clear();
            for (var b = _stream.ReadByte(); b >= 0 && _line.Count < LongestLine; b = _stream.ReadByte())
            {
                if (b == '\n')
                {
                    Position = _stream.Position;
                    return Utf8.GetString([.. _line]);
                }

                _line.Add((byte)b);
            }

            return null;
        }

        public void Dispose() => _stream.Dispose();
    }
}
