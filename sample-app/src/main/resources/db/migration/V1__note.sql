create table note (
  id integer primary key autoincrement,
  text text not null,
  created_at text not null
);
