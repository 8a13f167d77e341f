using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Training.Checkpoints;

/// <summary>Where a run stood, and what the checkpoint's files must hold: <c>state.json</c>.</summary>
/// <param name="Step">Steps taken.</param>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Images">Images in the source: order and masks are keyed by their indices.</param>
/// <param name="OptimizerStart">Steps that the optimizer had taken before the run.</param>
/// <param name="SkippedInARow">How many of the last steps were skipped because their numbers were not finite.</param>
internal sealed record CheckpointState(long Step, int Epoch, int Images, long OptimizerStart = 0, int SkippedInARow = 0)
{
    /// <summary>The file's name.</summary>
    public const string FileName = CheckpointFiles.State;

    private static readonly JsonSerializerOptions Layout = new()
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>SHA-256 of the checkpoint's other files, by name, in hexadecimal; null in one written before there were checksums.</summary>
    public IReadOnlyDictionary<string, string>? Files { get; init; }

    /// <summary>SHA-256 of this file as it would be without this entry.</summary>
    public string? Check { get; init; }

    /// <summary>The images, told from others; null in one written before there was this.</summary>
    public ImagesSeen? Seen { get; init; }

    /// <summary>The run's configuration when the checkpoint was taken, YAML; null in one written before there was this.</summary>
    public string? Config { get; init; }

    /// <summary>Fingerprints of networks whose weights the checkpoint does not hold, by name; null where there are none.</summary>
    public IReadOnlyDictionary<string, string>? Fixed { get; init; }

    /// <summary>How the matrix products were computed, the key of a <see cref="Models.Accelerated.Computation"/>; Float32 or BFloat16 alone, or null,
    /// in those written before there was this.</summary>
    public string? Precision { get; init; }

    /// <summary>Writes the file last, with the checksums of those that lie in the folder already.</summary>
    public void Write(string folder)
    {
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateFiles(folder)) digests.Add(Path.GetFileName(path), CheckpointFiles.DigestOf(path));
        var complete = this with { Files = digests, Check = null };
        complete = complete with { Check = Convert.ToHexStringLower(SHA256.HashData(complete.ToBytes())) };
        DurableFile.Write(Path.Combine(folder, FileName), stream => stream.Write(complete.ToBytes()));
    }

    /// <summary>Reads the file of a checkpoint.</summary>
    /// <exception cref="JepaException">It is missing or damaged.</exception>
    public static CheckpointState Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        try
        {
            var state = JsonSerializer.Deserialize<CheckpointState>(File.ReadAllBytes(path)) ?? throw new JsonException("it is empty.");
            if (state.Files is null && state.Check is null) return state;
            return state.Check == Convert.ToHexStringLower(SHA256.HashData((state with { Check = null }).ToBytes()))
                ? state : throw new JsonException("its checksum is another.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message} The checkpoint is damaged or incomplete; use another one.", inner: e);
        }
    }

    /// <summary>What a run's newest checkpoint was computed in, for a start that looks no further; null where that cannot be read.</summary>
    public static string? PrecisionOf(RunFolder folder)
    {
        try
        {
            return Read(folder.LatestCheckpoint).Precision;
        }
        catch (JepaException)
        {
            return null; // whoever resumes says what is wrong
        }
    }

    /// <summary>Compares the checkpoint's files with their checksums.</summary>
    /// <exception cref="JepaException">One is missing or damaged.</exception>
    public void Verify(string folder)
    {
        foreach (var (name, expected) in Files ?? new Dictionary<string, string>())
        {
            var path = Path.Combine(folder, name);
            try
            {
                if (CheckpointFiles.DigestOf(path) != expected)
                    throw new JepaException($"{path} is damaged: its checksum is not the one it was written with.");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new JepaException($"{path} cannot be read: {e.Message}", inner: e);
            }
        }
    }

    private byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Layout);
}

/// <summary>The checkpoint that a resume goes on from.</summary>
/// <param name="Path">Its folder.</param>
/// <param name="Damaged">What newer ones are damaged and how, a sentence each.</param>
internal sealed record NewestCheckpoint(string Path, IReadOnlyList<string> Damaged)
{
    /// <summary>Finds the newest whole one: a damaged one is named, and the one before it is taken.</summary>
    /// <exception cref="JepaException">There is none.</exception>
    public static NewestCheckpoint Of(RunFolder folder)
    {
        var damaged = new List<string>();
        var readable = new List<(string Path, CheckpointState State)>();
        foreach (var path in new CheckpointFolders(folder).Candidates())
        {
            try
            {
                readable.Add((path, CheckpointState.Read(path)));
            }
            catch (JepaException e)
            {
                damaged.Add(e.Message);
            }
        }

        foreach (var (path, state) in readable.OrderByDescending(c => c.State.Step))
        {
            try
            {
                state.Verify(path);
                return new NewestCheckpoint(path, damaged);
            }
            catch (JepaException e)
            {
                damaged.Add(e.Message);
            }
        }

        throw new JepaException(
            $"{folder.Checkpoints} holds no complete checkpoint to resume from. {string.Concat(damaged.Select(d => d + " "))}Start the run again in "
                + $"another folder.", isUsage: true);
    }
}
