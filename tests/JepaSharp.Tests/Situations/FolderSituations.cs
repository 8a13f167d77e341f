using JepaSharp.Tests.BadInput;
using JepaSharp.Tests.Data;

namespace JepaSharp.Tests.Situations;

/// <summary>Folders as they are found on disks: what is read, what is passed over, and that every file is counted.</summary>
[Collection(Lanes.Commands)]
public sealed class FolderSituations : SituationTests
{
    // As a user who may not do everything, where the tests run as one who may.
    private const string AsNobody =
        "chmod 000 set/dog; chmod -R a+rX . 2>/dev/null; chmod 000 set/dog; j=$(command -v jepa); chmod 755 . $(dirname $j); "
        + "if [ $(id -u) = 0 ]; then su nobody -s /bin/sh -c \"HOME=/tmp $j inspect $PWD/set\"; else jepa inspect set; fi; r=$?; chmod 755 "
            + "set/dog; exit $r";

    private const string Small =
        "--set meta.model_name=vit_tiny --set meta.embed_dim=24 --set meta.depth=1 --set meta.num_heads=2 --set meta.pred_depth=1 --set "
            + "meta.pred_emb_dim=12 "
        + "--set mask.patch_size=8 --set data.crop_size=32 --set data.batch_size=2 --set mask.min_keep=1 --precision fp32 --set "
            + "optimization.warmup=1 --set logging.evaluate_every=1000";

    private static readonly byte[] Jpeg = EncodedImages.Jpeg(EncodedImages.Picture(40, 36));

    private static readonly Situation[] Table =
    [
        new("photographs under names that say nothing", "jepa inspect set --all", 0,
            "6 images, no classes", "9 files found: 6 read, 3 passed over: 1 .txt (notes.txt), 1 HEIC (p6.heic), 1 camera raw (p7.dng).",
            "5 of the images are known by their content and not by their names: 1 without ending (p3), 1 .dat (p5.dat), 1 .jfif (p1.jfif), 1 .jpe "
            + "(p2.jpe), 1 .jpg_large (p4.JPG_large).",
            "formats: 6 jpeg", "broken: none")
        {
            Build = folder =>
            {
                foreach (var name in (string[])["p0.jpg", "p1.jfif", "p2.jpe", "p3", "p4.JPG_large", "p5.dat"]) Write(folder, $"set/{name}", Jpeg);
                Write(folder, "set/p6.heic", [0, 0, 0, 24, .. "ftypheic"u8]);
                Write(folder, "set/p7.dng", "II*\0\u0008\0\0\0"u8.ToArray()); // a TIFF by its first bytes
                Write(folder, "set/notes.txt", "BM is how many a bitmap begins"u8.ToArray());
            },
        },
        new("a class folder that may not be listed", AsNobody, 0,
            "8 images, 2 classes", "1 folder cannot be listed for lack of permission, so what lies below is missing here: dog.",
            "8 files found, all read; what lies in 1 folder that cannot be listed is not counted.")
        {
            Build = folder => Classes(folder, "cat", "dog", "eel"),
            Never = ["is no class"],
        },
        new("a name that is no UTF-8", "cp set/photo-0.png \"$(printf 'set/stra\\337e.png')\" && jepa inspect set --all && "
            + $"jepa pretrain --data set --out run {Small} --max-steps 1; r=$?; rm -rf set; exit $r", 0, "5 images, no classes",
            "5 files found, all read.", "formats: 5 png", "broken: none", "encoder and predictor")
        {
            Build = Set,
            Never = ["no longer there", "could not be read"],
        },
        new("class folders whose names are no UTF-8", "mkdir \"$(printf 'set/\\344\\366')\" \"$(printf 'set/\\344\\365')\" && "
            + "cp set/cat/* \"$(printf 'set/\\344\\366')\"; cp set/cat/* \"$(printf 'set/\\344\\365')\"; jepa inspect set --all; r=$?; rm -rf "
            + "set; exit $r", 0,
            "12 images, 3 classes", "\\xE4\\xF5", "\\xE4\\xF6", "broken: none")
        {
            Build = folder => Classes(folder, "cat"),
        },
        new("a folder given by a name that is no UTF-8, from within another",
            "d=$(printf 'f\\374r') && mkdir \"$d\" && mv set \"$d/$d\" && jepa inspect \"$d/$d\" && cd \"$d\" && jepa inspect \"$d\" && jepa "
            + "inspect .; r=$?; cd .. && rm -rf \"$d\"; exit $r", 0,
            "f\\xFCr/f\\xFCr", "4 images, no classes", "4 images, 1 class")
        {
            Build = Set,
        },
        new("a control character in a name", "printf 'x' > \"$(printf 'set/a\\033[31mb\\nc.png')\" && jepa inspect set --all", 0,
            "a\\x1B[31mb\\nc.png")
        {
            Build = Set,
            Never = ["\u001b[31m"],
        },
        new("class folders with the archive that they came in beside them", "tar -cf set/part.tar -C set/cat photo-0.png && jepa inspect set", 0,
            "8 images, 2 classes", "9 files found: 8 read, 1 passed over: 1 archive (part.tar).", "to read it instead, give DIR/set/part.tar")
        {
            Build = folder => Classes(folder, "cat", "dog"),
        },
        new("a folder unpacked beside its compressed archive", "tar -czf set/data.tar.gz -C set train && jepa inspect set && jepa inspect "
            + "set/train", 0,
            "9 files found: 8 read, 1 passed over: 1 archive (data.tar.gz).",
            "so train is the only class. If the classes are the folders in it, cat, dog, give DIR/set/train.", "8 images, 2 classes")
        {
            Build = folder =>
            {
                Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "set", "train", "cat")).FullName);
                Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "set", "train", "dog")).FullName);
            },
        },
        new("a picture beside shards", "mkdir shards && for n in 0 1 2; do tar -cf shards/s-$n.tar -C set photo-0.png; done; cp set/photo-0.png "
            + "shards/preview.png; jepa inspect shards", 2,
            "can be read in several ways: 1 image file (preview.png), or as tar shards (s-0.tar, s-1.tar, s-2.tar).")
        {
            Build = Set,
        },
        new("shards beside Parquet", "mkdir mixed && tar -cf mixed/a.tar -C set photo-0.png && cp set/photo-0.png mixed/b.parquet && jepa inspect "
            + "mixed", 2,
            "can be read in several ways: tar shards (a.tar), or as Parquet (b.parquet).")
        {
            Build = Set,
        },
        new("shards beside their index", "mkdir shards && tar -cf shards/a.tar -C set photo-0.png photo-1.png && echo {} > shards/index.json && "
            + "ln shards/a.tar shards/b.tar && jepa inspect shards", 0,
            "2 images, no classes", "3 files found: 1 read, 2 passed over: 1 .json (index.json), 1 under a second name of the same file (b.tar is "
            + "a.tar).")
        {
            Build = Set,
        },
        new("a picture above the class folders", "jepa inspect set", 0, "9 images, no classes",
            "there are no classes, because 1 image lies beside the folders cat, dog and in none: preview.png.")
        {
            Build = folder =>
            {
                Classes(folder, "cat", "dog");
                Write(folder, "set/preview.png", Photos.Png);
            },
        },
        new("a picture above the class folders, when classes are needed",
            $"jepa pretrain --data set/cat --out run {Small} --max-steps 1 >/dev/null 2>&1; jepa evaluate knn --weights run --data set", 2,
            "DIR/set has no labels (none of its 17 images)", "There are no classes, because 1 image lies beside the folders cat, dog, eel, fox "
            + "and in none: preview.png.")
        {
            Build = folder =>
            {
                Classes(folder, "cat", "dog", "eel", "fox");
                Write(folder, "set/preview.png", Photos.Png);
            },
        },
        new("links in a circle below a linked folder", "mkdir home && ln -s ../disk home/link && ln -s \"$PWD/disk/photos\" disk/photos/b/loop && "
            + "jepa inspect home/link/photos", 0,
            "8 images, 2 classes", "8 files found, all read.", "1 folder is reached in two ways and read once: b/loop is the folder itself.")
        {
            Build = folder =>
            {
                Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "disk", "photos", "a")).FullName);
                Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "disk", "photos", "b")).FullName);
            },
        },
        new("a link to what lies above", "mkdir top && mv set top/set && cp top/set/cat/photo-0.png top/other.png && ln -s ../.. top/set/cat/up "
            + "&& jepa inspect top/set", 0,
            "8 images, 2 classes", "1 link leads to a folder that holds this one, and is not followed: cat/up.")
        {
            Build = folder => Classes(folder, "cat", "dog"),
        },
        new("one folder under two class names", "ln -s cat set/aaa && jepa inspect set", 0, "8 images, 2 classes",
            "1 folder is reached in two ways and read once: aaa is cat.")
        {
            Build = folder => Classes(folder, "cat", "dog"),
        },
        new("one file under several names", "ln set/cat/photo-0.png set/dog/hard.png && ln -s ../cat/photo-1.png set/dog/soft.png && jepa inspect "
            + "set", 0,
            "8 images, 2 classes", "10 files found: 8 read, 2 passed over: 2 under a second name of the same file (dog/hard.png is "
            + "cat/photo-0.png).")
        {
            Build = folder => Classes(folder, "cat", "dog"),
        },
        new("what a network disk and other systems leave", "jepa inspect set", 0,
            "8 images, 2 classes", "15 files found: 8 read, 7 passed over: 2 in @eaDir, a network disk's thumbnails "
            + "(cat/@eaDir/photo-0.png/SYNOPHOTO_THUMB_M.jpg), "
            + "1 hidden (.DS_Store), 1 in __MACOSX, a Mac's notes on files (__MACOSX/cat/._photo-0.png), 1 in hidden folders (.thumbs/1.png), 1 "
            + "of Windows's or a Mac's own (dog/Thumbs.db), 1 of a Mac's ._ notes on files (dog/._photo-1.png).")
        {
            Build = folder =>
            {
                Classes(folder, "cat", "dog");
                foreach (var name in (string[])["cat/@eaDir/photo-0.png/SYNOPHOTO_THUMB_M.jpg", "cat/@eaDir/photo-0.png/SYNOPHOTO_THUMB_S.jpg",
            "__MACOSX/cat/._photo-0.png",
                    ".thumbs/1.png", "dog/Thumbs.db", "dog/._photo-1.png", ".DS_Store"]) Write(folder, $"set/{name}", Photos.Png);
            },
        },
        new("the parts of a set one folder further down", "jepa inspect set", 0, "8 images, 1 class",
            "all images lie below one folder, dataset/images, so dataset is the only class. The folders in it, train2017, val2017, are called "
            + "like the parts of a set: give one of them, such as DIR/set/dataset/images/train2017.")
        {
            Build = folder => Classes(folder, "dataset/images/train2017/cat", "dataset/images/val2017/cat"),
            Never = ["1 classes"],
        },
        new("the parts of a set below two folders", "jepa inspect set", 0,
            "but folders in them are called like the parts of a set (a/test, a/train, b/train)")
        {
            Build = folder => Classes(folder, "a/train/cat", "a/test/cat", "b/train/cat"),
        },
        new("classes that differ in capitals, and in how an accent is written", "jepa inspect set", 0,
            "\"Cat\" and \"cat\" are told apart, though they differ only in capitals or spaces.",
            "though they differ only in how accents are written.")
        {
            Build = folder => Classes(folder, "Cat", "cat", "caf\u00e9", "cafe\u0301"),
        },
        new("a class folder without an image", "mkdir set/eel && jepa inspect set", 0, "8 images, 2 classes",
            "1 folder holds no image and is no class: eel.")
        {
            Build = folder => Classes(folder, "cat", "dog"),
        },
        new("a list that names files more than once", "jepa inspect list.csv", 0, "5 images, 2 classes", "5 rows found, all read.",
            "2 rows list an image that another row lists too (set/photo-0.png and ./set//photo-0.png), 1 of them with another label; each row "
            + "counts.")
        {
            Build = folder =>
            {
                Set(folder);
                string[] rows = ["set/photo-0.png,a", "set/photo-1.png,b", "./set//photo-0.png,a", "set/../set/photo-1.png,a", "set/photo-2.png,b"];
                File.WriteAllLines(Path.Combine(folder, "list.csv"), ["path,label", .. rows]);
            },
        },
        new("a list without a head whose first image has no usual ending", "mv set/photo-0.png set/photo && jepa inspect list.csv", 0,
            "2 images, 2 classes")
        {
            Build = folder =>
            {
                Set(folder);
                File.WriteAllText(Path.Combine(folder, "list.csv"), "set/photo,a\nset/photo-1.png,b\n");
            },
        },
        new("the first lines of a run", $"jepa pretrain --data set --out run {Small} --max-steps 1", 0,
            "note: 5 files found: 4 read, 1 passed over: 1 .txt (notes.txt).")
        {
            Build = folder =>
            {
                Set(folder);
                Write(folder, "set/notes.txt", "words"u8.ToArray());
            },
        },
        new("the first lines of packing", "jepa pack --data set --out set.jepapack", 0, "DIR/set: 4 files found, all read.",
            "4 images as pixels") { Build = Set },
        new("an option given twice", "jepa inspect 'set#size=16&size=32'", 2, "is given twice") { Build = Set },
        new("pictures that no scene describes", "jepa scenes --out s --count 3 --size 16 && cp set/photo-0.png s/images/mine.png && jepa inspect "
            + "s", 0,
            "3 images", "1 picture is passed over, since no scene describes it: mine.png.")
        {
            Build = Set,
        },
        new("CIFAR without one of its files", "jepa inspect cifar", 0, "CIFAR-10 has 5 files to train on; missing here: data_batch_3.bin.",
            "of several parts the one called train is read; DIR/cifar#part=NAME gives another.")
        {
            Build = folder =>
            {
                foreach (var name in (string[])["data_batch_1", "data_batch_2", "data_batch_4", "data_batch_5", "test_batch"]) Write(folder,
            $"cifar/{name}.bin", new byte[3073]);
            },
        },
        new("CIFAR-10 and CIFAR-100 in one folder", "jepa inspect cifar", 2, "Expected files of one set")
        {
            Build = folder =>
            {
                Write(folder, "cifar/data_batch_1.bin", new byte[3073]);
                Write(folder, "cifar/train.bin", new byte[3074]);
            },
        },
        new("class folders beside a file called as one of CIFAR's", "jepa inspect set", 0, "8 images, 2 classes",
            "the image files are read, and train.bin beside them is not")
        {
            Build = folder =>
            {
                Classes(folder, "cat", "dog");
                Write(folder, "set/train.bin", new byte[3074 * 2]);
            },
        },
        new("a folder around that of a set", "mkdir -p outer/batches && tar -czf outer/batches.tar.gz -C set . && head -c 3073 /dev/zero > "
            + "outer/batches/test_batch.bin && jepa inspect outer", 2,
            "holds no image files; sets of images lie in the folders batches. Give one of them, such as DIR/outer/batches.")
        {
            Build = Set,
        },
    ];

    public static TheoryData<string> Names => NamesOf(Table);

    [Theory]
    [MemberData(nameof(Names))]
    public void Folder_Command_CountsAllThatIsThere(string name)
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("Names and links are those of Linux.");
        Run(Table.Single(s => s.Name == name));
    }

    private static void Set(string folder) => Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "set")).FullName);

    private static void Classes(string folder, params string[] names)
    {
        foreach (var name in names) Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "set", name)).FullName);
    }

    private static void Write(string folder, string name, byte[] content) => Photos.File1(name, content)(folder);
}
