import Archive
import Foundation
import PorcCore

/// Something outside that holds versions of Terraform modules.
protocol ModuleSource: Sendable {
  /// How it is named in the database and in messages.
  var name: String { get }

  /// A cheap look at what is there.
  ///
  /// - Throws: a `Fault` that says why it cannot be read.
  func look() async throws -> any ModuleView
}

/// A source as it was at one moment.
protocol ModuleView: Sendable {
  /// Two views with the same fingerprint list the same.
  var fingerprint: String { get }

  /// All modules that are there, without their files.
  func list() async throws -> ModuleListing

  /// Reads the files of some of them, each once, in any order, as few at a time as it can.
  func read(_ modules: [ListedModule], _ take: (ReadModule) async throws -> Void) async throws

  /// Names the contents of folders around modules, without reading them; nil where there is none.
  func contents(of folders: [OuterFolder]) async throws -> [String?]
}

extension ModuleView {
  /// A registry has nothing around its modules.
  func contents(of folders: [OuterFolder]) async throws -> [String?] { folders.map { _ in nil } }
}

/// A folder that modules take along though it is not theirs.
struct OuterFolder: Hashable {
  /// As in the module that takes it.
  var commit: String?
  /// From the root of the repository, or of the source's folder.
  var path: String
}

/// What a view lists.
struct ModuleListing: Sendable {
  var modules: [ListedModule] = []
  /// What is wrong with places that are no module, each message beginning with the place.
  var findings: [Finding] = []
  /// The names of templates that could not be looked at this time.
  var unread: [String] = []
  /// The repository's URL without credentials and `.git`, if there is one.
  var remote: String?
  /// The repository's code owners, if it says.
  var owners: CodeOwners?
}

/// One version of a module, before its files are read.
struct ListedModule: Sendable, Hashable {
  /// `NAME/VERSION`
  var path: String
  /// Names the content: the same text, the same files.
  var content: String
  var commit: String?
  /// Where the source has it: a folder, in the words of the source.
  var place: String = ""
  /// Whether the source says that it should not be used any more.
  var isDeprecated = false
}

/// One version of a module with its files, or why they could not be had.
struct ReadModule: Sendable {
  var module: ListedModule
  var files: Result<[ArchiveEntry], ModuleRefusal>
  /// What it takes along from around its folder; nil where nothing there can be called.
  var along: TakenAlong?
}

extension ReadModule {
  /// Finds a module's files and what it takes along in one.
  init(module: ListedModule, files: [ArchiveEntry], _ reach: ModuleReach) {
    do {
      self.init(module: module, files: .success(files), along: try reach.gathered())
    } catch {
      self.init(module: module, files: .failure(error))
    }
  }
}

/// Why a module is left out.
struct ModuleRefusal: Error {
  var message: String
  var fix: String
  /// Whether it may be otherwise without anybody's doing.
  var isPassing = false
}
