using System.Text;
using JepaSharp.Configuration;
using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources;
using JepaSharp.Data.Sources.Scenes;
using JepaSharp.Runtime;
using JepaSharp.Weights;

namespace JepaSharp.Fuzzing;

/// <summary>A reader of files from strangers: whatever the bytes are, it reads them or refuses them with a message.</summary>
/// <param name="Name">What the command calls it.</param>
/// <param name="FileName">The name under which it expects its file.</param>
/// <param name="Read">Reads a file, and the bytes that it holds.</param>
internal sealed record ReaderTarget(string Name, string FileName, Action<string, byte[]> Read)
{
    private const long MostBytes = 256 << 20;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private const int FewPixels = 1 << 20, FewImages = 4;

    /// <summary>Every reader.</summary>
    public static IReadOnlyList<ReaderTarget> All { get; } =
    [
        new("pickle", "data.pkl", (
            path, bytes) => new RestrictedUnpickler(path, bytes, (_, _, _) => throw new WeightsFileException(path, "a tensor", "none")).Load()),
        new("zip", "checkpoint.pth", (path, _) => PickledCheckpoint.Open(path).Dispose()),
        new("safetensors", "weights.safetensors", (path, _) => SafetensorsFile.Open(path).Dispose()),
        new("tar", "shard.tar", (path, _) => ReadImages(ImageSources.Open(path))),
        new("parquet", "part.parquet", (path, _) => ReadImages(ImageSources.Open(path))),
        new("idx", "train-images-idx3-ubyte", (path, _) => ReadImages(ImageSources.Open(path))),
        new("cifar", "data_batch_1.bin", (path, _) => ReadImages(ImageSources.Open(path))),
        new("pack", "images.jepapack", (path, _) => ReadImages(ImageSources.Open(path))),
        new("list", "images.csv", (path, _) => ReadImages(ImageSources.Open(path))),
        new("yaml", "config.yaml", (_, bytes) => OptionsDocument.Parse(Encoding.UTF8.GetString(bytes)).Validate()),
        new("annotations", "annotations.json", (path, _) => ReadImages(ImageSources.Open(path))),
        new("content", "content", (_, bytes) => ForeignContent.Of(bytes)),
        new("json", "scenes.json", (path, _) => SceneAnnotationReader.Read(path)),
        new("image", "image", (_, bytes) => ReadImage(ImageDecoder.Open(bytes, "image"))),
    ];

    public static ReaderTarget Named(string name) => All.FirstOrDefault(t => t.Name == name)
        ?? throw new ArgumentException($"There is no reader '{name}'. There are: {string.Join(", ", All.Select(t => t.Name))}.", nameof(name));

    /// <summary>Reads one input.</summary>
    /// <returns>Null where it was read, else why it was refused.</returns>
    /// <exception cref="Exception">A finding: anything but a refusal, or more than 256 MB allocated on the way.</exception>
    public string? Execute(ScratchFile place, byte[] bytes)
    {
        var path = place.Holding(bytes);
        var before = GC.GetTotalAllocatedBytes();
        string? refused = null;
        try
        {
            Read(path, bytes);
        }
        catch (Exception e) when (e is JepaException or ImageUnreadableException)
        {
            refused = e.Message;
        }

        var allocated = GC.GetTotalAllocatedBytes() - before;
        if (allocated > MostBytes) throw new InvalidOperationException($"{Name}: {allocated:N0} bytes allocated for an input of {bytes.Length:N0}.");
        return refused;
    }

    /// <summary>Reads one input, twice where the first time takes more than a second: the machine may have been busy, or the code not compiled
    /// yet.</summary>
    /// <exception cref="Exception">A finding: as of <see cref="Execute"/>, or more than a second both times.</exception>
    public void ExecuteInTime(ScratchFile place, byte[] bytes)
    {
        if (Timed() <= Longest) return;
        if (Timed() is var again && again > Longest)
            throw new InvalidOperationException($"{Name}: {again.TotalSeconds:F1} s for an input of {bytes.Length:N0} bytes.");

        TimeSpan Timed()
        {
            var started = TimeProvider.System.GetTimestamp();
            Execute(place, bytes);
            return TimeProvider.System.GetElapsedTime(started);
        }
    }

    private static void ReadImages(ImageSource opened)
    {
        using var source = opened;
        for (var i = 0; i < Math.Min(source.Count, FewImages); i++)
        {
            _ = source.NameOf(i);
            if (source.LabelOf(i) is { } label) _ = source.Classes[label];
            foreach (var column in source.Columns) _ = source.ValueOf(i, column);
            try
            {
                ReadImage(source.Open(i));
            }
            catch (ImageUnreadableException)
            {
                // Refused; the others may be sound.
            }
        }
    }

    private static void ReadImage(OpenedImage opened)
    {
        using var image = opened;
        if ((long)image.Width * image.Height <= FewPixels) _ = image.Decode();
    }
}
