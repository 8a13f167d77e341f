using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Binary;

/// <summary>CIFAR-10 or CIFAR-100 in their binary versions (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009).</summary>
/// <remarks>Class names come from the text file beside them, where there is one; else they are numbers.</remarks>
public sealed class CifarBinary : ImageSource
{
    private readonly IReadOnlyList<string> _paths;
    private readonly CifarLayout _layout;
    private readonly FileParts _files;
    private readonly int[] _firsts;
    private readonly short[] _labels;
    private readonly List<string> _notices = [];

    /// <summary>Reads the labels of one or more files of the same set.</summary>
    /// <param name="paths">Files such as data_batch_1.bin, in order.</param>
    /// <param name="label">"fine" or "coarse" for CIFAR-100; null for the finest.</param>
    /// <exception cref="JepaException">A file is missing, or is none of CIFAR's by its name or its length.</exception>
    public CifarBinary(IReadOnlyList<string> paths, string? label = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentOutOfRangeException.ThrowIfZero(paths.Count);
        _paths = paths;
        var layout = CifarLayout.OfFile(paths[0]) ?? throw new JepaException(
            $"{paths[0]} is not named as CIFAR's files are. Expected data_batch_1.bin, test_batch.bin, train.bin or test.bin.", isUsage: true);
        _layout = layout.WithLabel(label, paths[0]);
        if (paths.FirstOrDefault(p => CifarLayout.OfFile(p) != layout) is { } odd)
            throw new JepaException(
                $"{paths[0]} is a file of {layout.Name}, and {odd} is not. Expected files of one set: put each set into a folder of its own, or "
                    + $"give one file.",
                isUsage: true);
        _files = new FileParts(paths);
        _firsts = new int[paths.Count];
        var labels = new List<short>();
        for (var f = 0; f < paths.Count; f++)
        {
            _firsts[f] = labels.Count;
            ReadLabels(paths[f], labels);
        }

        _labels = [.. labels];
        var strange = _labels.Count(l => l < 0);
        if (strange > 0)
            _notices.Add($"{Quantity.Of(strange, "image has", "images have")} a label beyond the {_layout.Classes} classes of {_layout.Name}, and "
                + $"{(strange == 1 ? "counts" : "count")} as without label.");
        Classes = ReadClassNames();
        Description = paths.Count == 1
            ? Path.GetFullPath(paths[0]) : $"{Path.GetDirectoryName(Path.GetFullPath(paths[0]))} ({_layout.Name}, {paths.Count} files)";
    }

    /// <inheritdoc/>
    public override int Count => _labels.Length;

    /// <inheritdoc/>
    public override string Description { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _notices;

    /// <inheritdoc/>
    public override string NameOf(int index)
    {
        var (file, record) = Locate(index);
        return $"{Path.GetFileName(_paths[file])}[{record}]";
    }

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _labels[index] < 0 ? null : _labels[index];

    /// <inheritdoc/>
    public override OpenedImage Open(int index)
    {
        var (file, record) = Locate(index);
        byte[] planes;
        try
        {
            planes = _files.Read(file, ((long)record * _layout.RecordBytes) + _layout.LabelBytes, CifarLayout.PixelBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageUnreadableException(NameOf(index), $"the file cannot be read: {e.Message}", e);
        }

        if (planes.Length < CifarLayout.PixelBytes)
            throw new ImageUnreadableException(NameOf(index), "the file is cut short before the end of this image.");
        var image = new RgbImage(CifarLayout.Side, CifarLayout.Side);
        const int plane = CifarLayout.PixelBytes / 3;
        for (var i = 0; i < plane; i++)
            (image.Pixels[3 * i], image.Pixels[(3 * i) + 1], image.Pixels[(3 * i) + 2]) = (planes[i], planes[plane + i], planes[(2 * plane) + i]);
        return new PixelImage(image);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) _files.Dispose();
        base.Dispose(disposing);
    }

    private (int File, int Record) Locate(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        var file = Array.BinarySearch(_firsts, index);
        if (file < 0) file = ~file - 1;
        return (file, index - _firsts[file]);
    }

    private void ReadLabels(string path, List<short> labels)
    {
        try
        {
            using var stream = RegularFile.OpenRead(path);
            var rest = stream.Length % _layout.RecordBytes;
            if (stream.Length < _layout.RecordBytes)
                throw new JepaException(
                    $"{path} holds {stream.Length:N0} bytes: less than one record of {_layout.Name}, {_layout.RecordBytes:N0}.", isUsage: true);
            if (rest != 0)
                _notices.Add(
                    $"{path} is cut short, or is not {_layout.Name}: its last {rest:N0} bytes are no whole record of {_layout.RecordBytes:N0}.");
            var record = new byte[_layout.RecordBytes];
            for (var i = 0L; i < stream.Length / _layout.RecordBytes; i++)
            {
                stream.ReadExactly(record);
                var label = record[_layout.LabelAt];
                labels.Add(label < _layout.Classes ? label : (short)-1);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JepaException($"{path} cannot be read: {e.Message}", isUsage: true, e);
        }
    }

    private string[] ReadClassNames()
    {
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_paths[0]))!, _layout.NamesFile);
        if (File.Exists(path))
        {
            string[] names = [.. File.ReadLines(path).Take(_layout.Classes + 8).Select(n => n.Trim()).Where(n => n.Length > 0)];
            if (names.Length == _layout.Classes) return names;
            _notices.Add($"{path} names {Quantity.Of(names.Length, "class", "classes")}; {_layout.Name} has {_layout.Classes}. Numbers are used.");
        }

        return [.. Enumerable.Range(0, _layout.Classes).Select(i => $"{i}")];
    }
}
