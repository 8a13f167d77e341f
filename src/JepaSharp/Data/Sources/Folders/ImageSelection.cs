using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Folders;

/// <summary>Which of the files of a folder are images: those called so, and of the others those whose first bytes are an image's.</summary>
internal sealed class ImageSelection
{
    // Of an ending that a folder holds a million of, not every file is opened where a thousand from all over hold no image.
    private const int Sample = 1000;

    private readonly Dictionary<string, (int Count, string Example)> _known = new(StringComparer.Ordinal);

    /// <summary>Names of the images, in ordinal order.</summary>
    public List<string> Images { get; } = [];

    /// <summary>All others.</summary>
    public PassedOverFiles PassedOver { get; } = new();

    /// <summary>Looks through the files of a folder.</summary>
    public static ImageSelection Of(string root, FolderContents contents)
    {
        var selection = new ImageSelection();
        selection.Images.AddRange(contents.Files.Where(FileKind.IsCalledImage));
        foreach (var group in contents.Files.Where(f => !FileKind.IsCalledImage(f)).GroupBy(FileKind.Ending, StringComparer.Ordinal))
            selection.Add(root, [.. group]);
        selection.Images.Sort(StringComparer.Ordinal);
        selection.PassedOver.Add(contents.SetAside);
        foreach (var second in contents.SecondFiles) selection.PassedOver.Add(second);
        return selection;
    }

    /// <summary>A sentence on images whose names do not say so; null where there are none.</summary>
    public string? Notice
    {
        get
        {
            var count = _known.Values.Sum(k => k.Count);
            var how = count == 1 ? "is known by its content and not by its name" : "are known by their content and not by their names";
            return count == 0 ? null : $"{count:N0} of the images {how}: "
                + $"{string.Join(", ", _known.OrderBy(k => k.Key, StringComparer.Ordinal).Select(Text))}.";
        }
    }

    private static string Text(KeyValuePair<string, (int Count, string Example)> kind) =>
        $"{kind.Value.Count:N0} {(kind.Key.Length == 0 ? FileKind.WithoutEnding : "." + kind.Key)} ({PrintableName.Of(kind.Value.Example)})";

    /// <summary>Adds files of one ending.</summary>
    private void Add(string root, List<string> files)
    {
        var looked = Math.Min(Sample, files.Count);
        var hasImages = Enumerable.Range(0, looked)
            .Select(i => files[(int)((long)i * files.Count / looked)])
            .Any(name => !FileKind.IsSettled(name) && FileKind.IsImage(Head(root, name)));
        foreach (var name in files)
        {
            var head = !FileKind.IsSettled(name) && (hasImages || files.Count <= Sample) ? Head(root, name) : [];
            if (!FileKind.IsImage(head))
            {
                PassedOver.Add(head is null ? "without permission to read" : FileKind.WhatIs(name, head), name);
                continue;
            }

            Images.Add(name);
            var (count, example) = _known.GetValueOrDefault(FileKind.Ending(name), (0, name));
            _known[FileKind.Ending(name)] = (count + 1, example);
        }
    }

    /// <summary>The first bytes of a file; none where it cannot be read, null where it may not.</summary>
    private static byte[]? Head(string root, string name)
    {
        try
        {
            using var file = RegularFile.OpenHandle(Path.Combine(root, name));
            var head = new byte[FileKind.HeadBytes];
            return head[..RandomAccess.Read(file, head, 0)];
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or NotSupportedException)
        {
            return [];
        }
    }
}
