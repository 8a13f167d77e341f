using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Binary;

/// <summary>The binary versions of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3072 of pixels.</summary>
/// <param name="Name">"CIFAR-10" or "CIFAR-100".</param>
/// <param name="LabelBytes">Bytes before the pixels: of CIFAR-100 the coarse label, then the fine one.</param>
/// <param name="LabelAt">Which of them is the class.</param>
/// <param name="Classes">How many classes there are.</param>
/// <param name="NamesFile">Where the class names stand, one a line.</param>
internal sealed record CifarLayout(string Name, int LabelBytes, int LabelAt, int Classes, string NamesFile)
{
    /// <summary>Side of an image in pixels.</summary>
    public const int Side = 32;

    /// <summary>Bytes of an image: the red plane, the green, the blue.</summary>
    public const int PixelBytes = 3 * Side * Side;

    private static readonly CifarLayout Ten = new("CIFAR-10", 1, 0, 10, "batches.meta.txt");
    private static readonly CifarLayout Fine = new("CIFAR-100", 2, 1, 100, "fine_label_names.txt");
    private static readonly CifarLayout Coarse = new("CIFAR-100 (coarse labels)", 2, 0, 20, "coarse_label_names.txt");

    /// <summary>Bytes of a record.</summary>
    public int RecordBytes => LabelBytes + PixelBytes;

    /// <summary>The layout of a file by its name, or null.</summary>
    public static CifarLayout? OfFile(string path) => Path.GetFileName(path) switch
    {
        "test_batch.bin" => Ten,
        var name when name.StartsWith("data_batch_", StringComparison.Ordinal) && name.EndsWith(".bin", StringComparison.Ordinal) => Ten,
        "train.bin" or "test.bin" => Fine,
        _ => null,
    };

    /// <summary>The layout with the labels asked for.</summary>
    /// <param name="label">"fine" or "coarse"; null for the finest there are.</param>
    /// <param name="path">For messages.</param>
    /// <exception cref="JepaException">There are no such labels.</exception>
    public CifarLayout WithLabel(string? label, string path) => (label, LabelBytes) switch
    {
        (null, _) or ("fine", 2) => this,
        ("coarse", 2) => Coarse,
        _ =>
            throw new JepaException(
                $"label={label} means nothing for {path}, which is {Name}. {(LabelBytes == 2 ? "It has fine and coarse." : "Leave it out.")}",
                isUsage: true),
    };

    /// <summary>A sentence where some of CIFAR-10's five training files are missing; null where none is, or all are.</summary>
    public static string? NoticeOfMissing(IReadOnlyList<string> files)
    {
        const int batches = 5;
        var names = files.Select(Path.GetFileName).ToHashSet(StringComparer.Ordinal);
        string[] missing = [.. Enumerable.Range(1, batches).Select(b => $"data_batch_{b}.bin").Where(n => !names.Contains(n))];
        return missing.Length is 0 or batches ? null : $"CIFAR-10 has {batches} files to train on; missing here: {string.Join(", ", missing)}.";
    }

    /// <summary>The files of a folder that hold a part, "train" or "test", in order.</summary>
    public static IReadOnlyList<string> Find(IEnumerable<string> files, string part) =>
        [.. files.Where(f => OfFile(f) is not null && Path.GetFileName(f).StartsWith("test", StringComparison.Ordinal) == (part == "test")).Order(
            StringComparer.Ordinal)];
}
