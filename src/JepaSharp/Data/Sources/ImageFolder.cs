using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources.Folders;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources;

/// <summary>The image files below a folder, to any depth, in ordinal order of their relative paths: the same on every machine.</summary>
/// <remarks>
/// Where every image lies in a sub folder, the names of the first-level sub folders are the classes, in ordinal order. Files are images by their
/// content: those called so are looked into when they are opened, all others when the folder is listed, and what is passed over is counted. Hidden
/// files and folders are passed over; links are followed, but no folder is entered and no file read twice.
/// </remarks>
public sealed class ImageFolder : ImageSource
{
    private const int Shown = 3;

    private readonly string _root;
    private readonly List<string> _files;
    private readonly string[] _names;
    private readonly FolderClasses _classes;
    private readonly DecodingLimits _limits;
    private readonly List<string> _notices = [];

    /// <summary>Lists a folder.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="limits">What to refuse by an image's header.</param>
    /// <exception cref="JepaException">There is no such folder, or it holds no image.</exception>
    public ImageFolder(string path, DecodingLimits? limits = null)
        : this(ListedFolder.Of(path), limits)
    {
    }

    internal ImageFolder(ListedFolder folder, DecodingLimits? limits = null)
    {
        _limits = limits ?? DecodingLimits.Default;
        (_root, _files) = (folder.Root, folder.Selection.Images);
        if (_files.Count == 0) throw new JepaException(folder.WhyNone(), isUsage: true);
        _names = UniqueNames.Of(_files);
        _classes = FolderClasses.Of(_root, _files, folder.Contents.TopFolders.Except(folder.Contents.Unlistable));
        Sum = folder.Sum;
        if (folder.Selection.PassedOver.Count > 0) _notices.Add(Sum);
        _notices.AddRange(folder.Notices(Shown));
        _notices.AddRange(_classes.Notices);
    }

    /// <inheritdoc/>
    public override int Count => _names.Length;

    /// <inheritdoc/>
    public override string Description => PrintableName.Of(_root);

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _classes.Names;

    /// <inheritdoc/>
    public override string Sum { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _notices;

    /// <inheritdoc/>
    public override string NameOf(int index) => _names[index];

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _classes.Labels.Length == 0 ? null : _classes.Labels[index];

    /// <inheritdoc/>
    public override long StoredBytes(int index) => RegularFile.LengthOf(Path.Combine(_root, _files[index]));

    /// <inheritdoc/>
    public override string? PathOf(int index) => Path.Combine(_root, _files[index]);

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => ImageDecoder.Open(Path.Combine(_root, _files[index]), _names[index], _limits);
}
