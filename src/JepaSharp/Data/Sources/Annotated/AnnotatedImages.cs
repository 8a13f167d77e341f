using JepaSharp.Data.Decoding;
using JepaSharp.Data.Sources.Lists;
using JepaSharp.Runtime;

namespace JepaSharp.Data.Sources.Annotated;

/// <summary>The images of a COCO-like annotation file, such as iNaturalist-2018's <c>train2018.json</c>, in the file's order.</summary>
/// <remarks>
/// Classes are all categories in the order of their ids, whether or not an image is of them, so that the files of a training and of a validation part
/// have the same. An image's label is the category of its annotations; where they disagree (several objects) it has none.
/// </remarks>
public sealed class AnnotatedImages : ImageSource
{
    private readonly string _path, _folder;
    private readonly string[] _names;
    private readonly ClassLabels _labels;
    private readonly DecodingLimits _limits;
    private readonly List<string> _notices = [];

    /// <summary>Reads an annotation file.</summary>
    /// <param name="path">The JSON file.</param>
    /// <param name="label">"name" or "supercategory" of the categories; null for the name.</param>
    /// <param name="limits">What to refuse by an image's header.</param>
    /// <param name="images">Folder that the file names begin in; null for the file's own.</param>
    /// <exception cref="JepaException">The file or the folder is missing, or the file is none of its kind.</exception>
    public AnnotatedImages(string path, string? label = null, DecodingLimits? limits = null, string? images = null)
    {
        if (label is not (null or "name" or "supercategory"))
            throw new JepaException(
                $"{path} has no \"{label}\" to take the classes from. Expected label=name or label=supercategory.", isUsage: true);
        (_path, _limits, _folder) = (Path.GetFullPath(path), limits ?? DecodingLimits.Default, ListedFiles.FolderOf(path, images));
        var file = AnnotationFile.Read(path);
        _names = [.. file.Images!.Select(i => i.FileName!.Replace('\\', '/'))];
        _labels = LabelsOf(path, file, label == "supercategory");
        _notices.AddRange(_labels.Notices());
        if (RepeatedRows.NoticeOf(_folder, _names, _labels, "entry", "entries") is { } repeated) _notices.Add(repeated);
    }

    /// <inheritdoc/>
    public override int Count => _names.Length;

    /// <inheritdoc/>
    public override string Description => _path;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Classes => _labels.Classes;

    /// <inheritdoc/>
    public override IReadOnlyList<string> Notices => _notices;

    /// <inheritdoc/>
    public override string NameOf(int index) => PrintableName.Of(_names[index]);

    /// <inheritdoc/>
    public override int? LabelOf(int index) => _labels.Of(index);

    /// <inheritdoc/>
    public override long StoredBytes(int index) => RegularFile.LengthOf(Path.Combine(_folder, _names[index]));

    /// <inheritdoc/>
    public override string? PathOf(int index) => Path.Combine(_folder, _names[index]);

    /// <inheritdoc/>
    public override OpenedImage Open(int index) => ImageDecoder.Open(Path.Combine(_folder, _names[index]), NameOf(index), _limits);

    private ClassLabels LabelsOf(string path, AnnotationFile file, bool bySuperCategory)
    {
        if (file.Annotations is not { Count: > 0 } all) return ClassLabels.None;
        List<AnnotationFile.Annotation> annotations = [.. all.Where(a => a.CategoryId is not null)];
        if (annotations.Count < all.Count) _notices.Add($"{all.Count - annotations.Count:N0} of {all.Count:N0} annotations name no category "
            + "(\"category_id\"): they are no labels.");
        if (annotations.Count == 0) return ClassLabels.None;
        var classOf = ClassesOf(path, file, annotations, bySuperCategory, out var classes);
        var imageOf = new Dictionary<long, int>(_names.Length);
        foreach (var (index, image) in file.Images!.Index())
            if (image.Id is { } id && !imageOf.TryAdd(id, index)) throw new JepaException($"{path} has two images with the id {image.Id}.",
                isUsage: true);
        const int none = -1, several = -2;
        var labels = new int[_names.Length];
        Array.Fill(labels, none);
        var strays = 0;
        foreach (var annotation in annotations)
        {
            if (annotation.ImageId is not { } id || !imageOf.TryGetValue(id, out var index))
            {
                strays++;
                continue;
            }

            if (!classOf.TryGetValue(annotation.CategoryId!.Value, out var label))
                throw new JepaException(
                    $"{path}: {_names[index]} is of the category {annotation.CategoryId}, which is not among the \"categories\".", isUsage: true);
            labels[index] = labels[index] == none || labels[index] == label ? label : several;
        }

        if (strays > 0) _notices.Add($"{Quantity.Of(strays, "annotation is", "annotations are")} of images that the file does not name.");
        var disagreeing = labels.Count(l => l == several);
        if (disagreeing > 0)
            _notices.Add($"{Quantity.Of(disagreeing, "image is", "images are")} of several categories, and "
                + $"{(disagreeing == 1 ? "counts" : "count")} as without label.");
        return new ClassLabels(classes, Array.ConvertAll(labels, l => Math.Max(l, none)));
    }

    /// <summary>Class of every category id.</summary>
    private static Dictionary<long, int> ClassesOf(string path, AnnotationFile file, IReadOnlyList<AnnotationFile.Annotation> annotations,
        bool bySuperCategory, out string[] classes)
    {
        var categories = file.Categories is { Count: > 0 } named
            ? named.Where(c => c.Id is not null).Distinct().OrderBy(c => c.Id).ToArray()
            : [.. annotations.Select(a => a.CategoryId).Distinct().Order().Select(id => new AnnotationFile.Category(id, null, null))];
        if (categories.CountBy(c => c.Id!.Value).FirstOrDefault(c => c.Value > 1) is { Value: > 1 } twice)
            throw new JepaException($"{path} has two categories with the id {twice.Key}. Expected one name for each: which is meant is not known.",
                isUsage: true);
        var names = Array.ConvertAll(categories, c => (bySuperCategory ? c.SuperCategory : c.Name) ?? FormattableString.Invariant($"{c.Id}"));
        if (!bySuperCategory && names.Distinct(StringComparer.Ordinal).Count() < names.Length)
            names = [.. categories.Zip(names, (c, name) => FormattableString.Invariant($"{name} ({c.Id})"))];
        classes = [.. names.Distinct(StringComparer.Ordinal)];
        var index = classes.Index().ToDictionary(c => c.Item, c => c.Index, StringComparer.Ordinal);
        return categories.Zip(names).ToDictionary(c => c.First.Id!.Value, c => index[c.Second]);
    }
}
