namespace JepaSharp.Fuzzing;

/// <summary>A file in memory, under the name that a reader goes by, into which one input after another is put.</summary>
internal sealed class ScratchFile : IDisposable
{
    private readonly string _folder;

    public ScratchFile(string name)
    {
        var root = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        _folder = Directory.CreateDirectory(Path.Combine(root, $"jepasharp-fuzz-{Environment.ProcessId}")).FullName;
        FullPath = Path.Combine(_folder, name);
    }

    public string FullPath { get; }

    /// <summary>Replaces the content.</summary>
    public string Holding(byte[] bytes)
    {
        File.WriteAllBytes(FullPath, bytes);
        return FullPath;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
